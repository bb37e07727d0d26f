/** The content of a block: its VPC blocks, the taken addresses, the largest free block; and the map's first view. */

import { blockAt, contains, lastOf, parseBlock, sizeOf, type Block } from "../addresses";
import type { Claim } from "../world";

export const RANGES = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map((text) =>
  parseBlock(text)!,
);
export const EVERYTHING: Block = { first: 0, length: 0 };

/** Return the claims inside a block. `claims` are in the order of their addresses. */
export function claimsInside(claims: readonly Claim[], block: Block): Claim[] {
  const last = lastOf(block);
  const found: Claim[] = [];
  for (let at = firstFrom(claims, block.first); at < claims.length && claims[at]!.first <= last; at++) {
    if (claims[at]!.length >= block.length) found.push(claims[at]!);
  }
  return found;
}

export function claimsAround(claims: readonly Claim[], block: Block): Claim[] {
  return claims.filter((claim) => claim.length < block.length && contains(claim, block));
}

function firstFrom(claims: readonly Claim[], address: number): number {
  let [low, high] = [0, claims.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (claims[middle]!.first < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Return how many addresses are taken, each counted once, and the largest free block. */
export function measure(inside: readonly Claim[], block: Block): { taken: number; largestFree: Block | null } {
  let [taken, next] = [0, block.first];
  let largest: Block | null = null;
  const leave = (from: number, to: number) => {
    const found = largestIn(from, to);
    if (found && (!largest || found.length < largest.length)) largest = found;
  };
  for (const claim of inside) {
    if (claim.first < next) continue;
    leave(next, claim.first);
    taken += sizeOf(claim);
    next = lastOf(claim) + 1;
  }
  leave(next, lastOf(block) + 1);
  return { taken, largestFree: largest };
}

/** Return the largest block between two addresses, the second excluded. */
function largestIn(from: number, to: number): Block | null {
  for (let length = 0; length <= 32 && from < to; length++) {
    const size = 2 ** (32 - length);
    const first = Math.ceil(from / size) * size;
    if (first + size <= to) return { first, length };
  }
  return null;
}

/** Return the map's first view: in the private range with the most VPC blocks, the smallest block that holds them. */
export function homeOf(claims: readonly Claim[]): Block {
  const chosen = claims.filter((claim) => !claim.vpc.isDefault);
  const some = chosen.length ? chosen : claims;
  const [range] = RANGES.map((block) => ({ block, number: claimsInside(some, block).length })).sort(
    (a, b) => b.number - a.number,
  );
  if (!range?.number) return some.length ? EVERYTHING : RANGES[0]!;
  const inside = claimsInside(some, range.block);
  let home = range.block;
  while (home.length < 16) {
    const smaller = blockAt(inside[0]!.first, Math.floor(home.length / 4) * 4 + 4);
    if (!inside.every((claim) => contains(smaller, claim) && claim.length > smaller.length)) break;
    home = smaller;
  }
  return home;
}
