/** Whether VPCs can be connected, and why not: the rules of `landkeeper vpc connect`, for any pair. */

import { rangeOf } from "./addresses";
import type { Vpc } from "./world";

export type Possible = "yes" | "partly" | "no";

export interface Verdict {
  readonly possible: Possible;
  readonly because: string;
}

export interface Pairing {
  readonly source: Vpc;
  readonly target: Vpc;
  readonly obstacles: readonly string[];
  readonly peering: Verdict;
  readonly routing: Verdict;
  readonly links: readonly string[];
}

interface Range {
  readonly text: string;
  readonly first: bigint;
  readonly last: bigint;
  readonly version: 4 | 6;
}

interface Obstacle {
  readonly source: Range;
  readonly target: Range;
}

const YES: Verdict = { possible: "yes", because: "" };

/** Return each pair of a VPC of either list once; pairs without a default VPC come first. */
export function pairUp(sources: readonly Vpc[], targets: readonly Vpc[], same: boolean): Pairing[] {
  const seen = new Set<string>();
  const pairs: Pairing[] = [];
  for (const source of sources) {
    for (const target of targets) {
      const key = [source, target]
        .map((vpc) => `${vpc.id} ${vpc.account.id}`)
        .sort()
        .join(" ");
      if (seen.has(key) || (same && source === target)) continue;
      seen.add(key);
      pairs.push(pairVpcs(source, target));
    }
  }
  return pairs.sort((a, b) => Number(hasDefault(a)) - Number(hasDefault(b)));
}

export function hasDefault(pair: Pairing): boolean {
  return pair.source.isDefault || pair.target.isDefault;
}

export function pairVpcs(source: Vpc, target: Vpc): Pairing {
  if (source === target) {
    const same: Verdict = { possible: "no", because: "it is the same VPC" };
    return { source, target, obstacles: [], peering: same, routing: same, links: [] };
  }
  const mine = rangesOf(source);
  const theirs = rangesOf(target);
  const obstacles = mine.flatMap((a) => theirs.filter((b) => meet(a, b)).map((b) => ({ source: a, target: b })));
  const apart = apartness(source, target);
  return {
    source,
    target,
    obstacles: obstacles.map(sentence),
    peering: apart ?? peeringOf(source, target, obstacles),
    routing: apart ?? routingOf(mine, theirs, obstacles),
    links: [...peerings(source, target), ...gateways(source, target)],
  };
}

function rangesOf(vpc: Vpc): Range[] {
  return [...new Set([...vpc.cidrs, ...vpc.ipv6])].flatMap((text) => {
    const range = rangeOf(text);
    return range ? [{ text, first: range[0], last: range[1], version: range[2] }] : [];
  });
}

function meet(a: Range, b: Range): boolean {
  return a.version === b.version && a.first <= b.last && b.first <= a.last;
}

function isIdentical({ source, target }: Obstacle): boolean {
  return same(source, target);
}

function same(a: Range, b: Range): boolean {
  return a.version === b.version && a.first === b.first && a.last === b.last;
}

function sentence(obstacle: Obstacle): string {
  if (isIdentical(obstacle)) return `${obstacle.source.text} in both`;
  const isOuter = obstacle.source.first <= obstacle.target.first && obstacle.target.last <= obstacle.source.last;
  return `${obstacle.source.text} ${isOuter ? "contains" : "is inside"} ${obstacle.target.text}`;
}

/** Return why two VPCs cannot be connected, whatever their blocks; null if their partition and space are the same. */
export function apartness(source: Vpc, target: Vpc): Verdict | null {
  if (source.partition !== target.partition) {
    return { possible: "no", because: `${source.region} and ${target.region} are in different AWS partitions` };
  }
  if (source.space !== target.space) {
    const names = `${source.spaceName} and ${target.spaceName}`;
    return { possible: "no", because: `they are in different spaces: ${names}` };
  }
  return null;
}

function peeringOf(source: Vpc, target: Vpc, obstacles: readonly Obstacle[]): Verdict {
  if (!obstacles.length) return YES;
  const why = source.isDefault && target.isDefault ? "both are default VPCs: " : "";
  return { possible: "no", because: why + obstacles.map(sentence).join("; ") };
}

/** A transit gateway takes a block only from the VPC attached first, and routes each packet by the longest prefix. */
function routingOf(mine: readonly Range[], theirs: readonly Range[], obstacles: readonly Obstacle[]): Verdict {
  if (!obstacles.length) return YES;
  const identical = obstacles.filter(isIdentical).map((obstacle) => obstacle.source);
  const words = [
    ...identical.map((range) => `both have ${range.text}, which propagates only from the VPC attached first`),
    ...obstacles.filter((obstacle) => !isIdentical(obstacle)).map(nested),
  ];
  const free = (ranges: readonly Range[]) => ranges.filter((range) => !identical.some((block) => same(block, range)));
  const others = free(theirs);
  const some = free(mine).some((a) => others.some((b) => a.version === b.version && !same(a, b)));
  return { possible: some ? "partly" : "no", because: words.join("; ") };
}

function nested({ source, target }: Obstacle): string {
  const isInside = source.last - source.first < target.last - target.first;
  const [inner, outer] = isInside ? [source.text, target.text] : [target.text, source.text];
  return (
    `${inner} and ${outer} both propagate and the longer prefix wins: traffic to ${inner} goes to the VPC that has ` +
    `${inner}, except from inside the VPC that has ${outer}`
  );
}

function peerings(source: Vpc, target: Vpc): string[] {
  const all = [[source, target] as const, [target, source] as const].flatMap(([vpc, other]) =>
    vpc.peerings.filter(([, , peer]) => peer === other.id),
  );
  const found = new Map(all.map(([id, state]) => [`${id} ${state}`, { id, state }]));
  const rank = (state: string) => (state === "active" ? 0 : 1);
  return [...found.values()]
    .sort((a, b) => rank(a.state) - rank(b.state) || compare(a.id, b.id) || compare(a.state, b.state))
    .map((link) => `${link.id} ${link.state}`);
}

function gateways(source: Vpc, target: Vpc): string[] {
  const theirs = new Set(target.gateways);
  const both = [...new Set(source.gateways)].filter((id) => theirs.has(id));
  return both.sort(compare).map((id) => `${id} attached, routes unverified`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
