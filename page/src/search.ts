/** Finding VPCs by block or address, id, name, account, region or tag. */

import { formatBlock, overlaps, parseBlock, rangeOf, type Block } from "./addresses";
import type { Vpc, World } from "./world";

const words = new WeakMap<Vpc, string>();

/** Return the VPCs that match the text; null for an empty text. Several words must all match. */
export function search(world: World, text: string): readonly Vpc[] | null {
  const query = text.trim().toLowerCase();
  if (!query) return null;
  const range = query.includes("/") || parseBlock(query) ? rangeOf(query) : null;
  if (range)
    return range[2] === 4
      ? overlapFour(world, parseBlock(query)!)
      : world.vpcs.filter((vpc) => overlapsSix(vpc, range));
  const parts = query.split(/\s+/);
  return world.vpcs.filter((vpc) => {
    const searched = wordsOf(vpc);
    return parts.every((part) => searched.includes(part));
  });
}

function overlapFour(world: World, block: Block): readonly Vpc[] {
  const found = new Set(
    world.claims.flatMap((claims) => claims.filter((claim) => overlaps(claim, block)).map((claim) => claim.vpc)),
  );
  return [...found].sort((a, b) => a.index - b.index);
}

function overlapsSix(vpc: Vpc, range: readonly [bigint, bigint, 4 | 6]): boolean {
  return vpc.ipv6.some((text) => {
    const block = rangeOf(text);
    return block !== null && block[0] <= range[1] && range[0] <= block[1];
  });
}

/** Return the full form of the block in a text; null if it is not a block. */
export function blockMeant(text: string): string | null {
  const block = parseBlock(text);
  return block && formatBlock(block);
}

function wordsOf(vpc: Vpc): string {
  let known = words.get(vpc);
  if (known === undefined) {
    const tags = vpc.tags.map(([key, value]) => `${key}=${value}`);
    const all = [
      vpc.id,
      vpc.name,
      vpc.account.id,
      vpc.account.name,
      vpc.account.unit ?? "",
      vpc.region,
      ...vpc.cidrs,
      ...vpc.ipv6,
      ...tags,
    ];
    known = all.join("\n").toLowerCase();
    words.set(vpc, known);
  }
  return known;
}
