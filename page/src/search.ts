/** Finding VPCs by block or address, id, name, account, region or tag. */

import { formatBlock, overlaps, parseBlock, rangeOf, type Block } from "./addresses";
import type { Vpc, World } from "./world";

const words = new WeakMap<Vpc, string>();

/** The VPCs that the text is about; null for an empty text. Several words must all be there. */
export function search(world: World, text: string): readonly Vpc[] | null {
  const asked = text.trim().toLowerCase();
  if (!asked) return null;
  const range = asked.includes("/") || parseBlock(asked) ? rangeOf(asked) : null;
  if (range)
    return range[2] === 4 ? meetingFour(world, parseBlock(asked)!) : world.vpcs.filter((vpc) => meetsSix(vpc, range));
  const parts = asked.split(/\s+/);
  return world.vpcs.filter((vpc) => {
    const told = wordsOf(vpc);
    return parts.every((part) => told.includes(part));
  });
}

function meetingFour(world: World, block: Block): readonly Vpc[] {
  const found = new Set(
    world.claims.flatMap((claims) => claims.filter((claim) => overlaps(claim, block)).map((claim) => claim.vpc)),
  );
  return [...found].sort((a, b) => a.index - b.index);
}

function meetsSix(vpc: Vpc, range: readonly [bigint, bigint, 4 | 6]): boolean {
  return vpc.ipv6.some((text) => {
    const one = rangeOf(text);
    return one !== null && one[0] <= range[1] && range[0] <= one[1];
  });
}

/** The block that a text means, as it is written in full; null where it means none. */
export function blockMeant(text: string): string | null {
  const block = parseBlock(text);
  return block && formatBlock(block);
}

function wordsOf(vpc: Vpc): string {
  let told = words.get(vpc);
  if (told === undefined) {
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
    told = all.join("\n").toLowerCase();
    words.set(vpc, told);
  }
  return told;
}
