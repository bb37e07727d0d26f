/** For every two accounts, units or spaces: how many pairs of their VPCs can be peered. Worked out where it is looked at. */

import { rangeOf } from "./addresses";
import { partitionOf } from "./connect";
import { unitOf, type Vpc, type World } from "./world";

export const GROUPINGS = { account: "accounts", unit: "units", space: "spaces" } as const;
export type Grouping = keyof typeof GROUPINGS;

export type Answer = "yes" | "partly" | "no" | "apart" | "none";

export interface CellOfMatrix {
  readonly answer: Answer;
  readonly pairs: number;
  readonly peerable: number;
  /** Pairs that never meet: of other spaces or partitions. */
  readonly apart: number;
  readonly linked: boolean;
}

export interface Group {
  readonly key: string;
  readonly label: string;
  readonly vpcs: readonly Vpc[];
}

/** The blocks of some VPCs, outer ones before those inside them: first and last position, and whose they are. */
interface Lines {
  readonly vpcs: readonly Vpc[];
  readonly first: Float64Array;
  readonly last: Float64Array;
  readonly owner: Int32Array;
  /** Of each block, the nearest one before it that is around it, be it the same; -1 where there is none. */
  readonly around: Int32Array;
  /** The same, but a larger one. */
  readonly larger: Int32Array;
  /** Of each VPC, its blocks. */
  readonly blocks: readonly (readonly number[])[];
  /** Of each VPC, its space and partition. */
  readonly realms: readonly string[];
  readonly ids: ReadonlySet<string>;
  /** The VPCs that they have active peerings with. */
  readonly peers: readonly string[];
}

/** The groups by name. Their default VPCs count only where they have no others: no two of those can ever be connected. */
export function groupsOf(world: World, grouping: Grouping): Group[] {
  const found = new Map<string, { key: string; label: string; vpcs: Vpc[] }>();
  const of = (key: string, label: string) => {
    const group = found.get(key) ?? { key, label, vpcs: [] };
    found.set(key, group);
    return group;
  };
  if (grouping === "account") for (const { id, name } of world.report.accounts) of(id, name || id);
  for (const vpc of world.vpcs) {
    if (grouping === "account") of(vpc.account.id, vpc.account.name || vpc.account.id).vpcs.push(vpc);
    else if (grouping === "unit") of(unitOf(vpc.account), unitOf(vpc.account)).vpcs.push(vpc);
    else of(vpc.spaceName, vpc.spaceName).vpcs.push(vpc);
  }
  const inWords = new Intl.Collator("en", { numeric: true });
  const groups = [...found.values()].sort((a, b) => inWords.compare(a.label, b.label) || inWords.compare(a.key, b.key));
  return groups.map((group) => {
    const chosen = group.vpcs.filter((vpc) => !vpc.isDefault);
    return { ...group, vpcs: chosen.length ? chosen : group.vpcs };
  });
}

export class Matrix {
  private readonly cells = new Map<number, CellOfMatrix>();
  private readonly lines: (Lines | undefined)[] = [];
  private readonly positions: (text: string) => readonly [number, number] | null;

  constructor(
    readonly groups: readonly Group[],
    world: World,
  ) {
    this.positions = positionsOf(world);
  }

  cell(row: number, column: number): CellOfMatrix {
    const [a, b] = row < column ? [row, column] : [column, row];
    const key = a * this.groups.length + b;
    const known = this.cells.get(key);
    if (known) return known;
    const made = this.count(this.line(a), this.line(b), a === b);
    this.cells.set(key, made);
    return made;
  }

  private line(at: number): Lines {
    return (this.lines[at] ??= this.linesOf(this.groups[at]?.vpcs ?? []));
  }

  private linesOf(vpcs: readonly Vpc[]): Lines {
    const all = vpcs.flatMap((vpc, owner) =>
      [...vpc.cidrs, ...vpc.ipv6].flatMap((text) => {
        const range = this.positions(text);
        return range ? [{ range, owner }] : [];
      }),
    );
    all.sort((a, b) => a.range[0] - b.range[0] || b.range[1] - a.range[1]);
    const blocks: number[][] = vpcs.map(() => []);
    const around = new Int32Array(all.length);
    const larger = new Int32Array(all.length);
    all.forEach(({ range, owner }, at) => {
      blocks[owner]!.push(at);
      let outer = at - 1;
      while (outer >= 0 && all[outer]!.range[1] < range[0]) outer = larger[outer]!;
      const isTwin = outer >= 0 && all[outer]!.range[0] === range[0] && all[outer]!.range[1] === range[1];
      around[at] = outer;
      larger[at] = isTwin ? larger[outer]! : outer;
    });
    return {
      vpcs,
      blocks,
      around,
      larger,
      first: Float64Array.from(all, (one) => one.range[0]),
      last: Float64Array.from(all, (one) => one.range[1]),
      owner: Int32Array.from(all, (one) => one.owner),
      realms: vpcs.map((vpc) => `${partitionOf(vpc.region)} ${vpc.space}`),
      ids: new Set(vpcs.map((vpc) => vpc.id)),
      peers: vpcs.flatMap((vpc) => vpc.peerings.flatMap(([, state, peer]) => (state === "active" ? [peer] : []))),
    };
  }

  private count(one: Lines, other: Lines, isSame: boolean): CellOfMatrix {
    const [n, m] = [one.vpcs.length, other.vpcs.length];
    const pairs = isSame ? (n * (n - 1)) / 2 : n * m;
    if (!pairs) return { answer: "none", pairs: 0, peerable: 0, apart: 0, linked: false };
    const together = togetherOf(one, other, isSame);
    const clashing = clashingOf(one, other, isSame);
    const peerable = together - clashing;
    const answer = !together ? "apart" : !clashing && together === pairs ? "yes" : peerable ? "partly" : "no";
    return {
      answer,
      pairs,
      peerable,
      apart: pairs - together,
      linked: tellsOf(one, other) || tellsOf(other, one),
    };
  }
}

/** Whether one of the VPCs has an active peering with one of the others. */
function tellsOf(one: Lines, other: Lines): boolean {
  return one.peers.some((peer) => other.ids.has(peer));
}

/** How many pairs are of one space and one partition. */
function togetherOf(one: Lines, other: Lines, isSame: boolean): number {
  const counts = new Map<string, number>();
  for (const realm of one.realms) counts.set(realm, (counts.get(realm) ?? 0) + 1);
  let together = 0;
  if (isSame) for (const number of counts.values()) together += (number * (number - 1)) / 2;
  else for (const realm of other.realms) together += counts.get(realm) ?? 0;
  return together;
}

/** How many pairs of one space and one partition have addresses in common. */
function clashingOf(one: Lines, other: Lines, isSame: boolean): number {
  const seenBy = new Int32Array(other.vpcs.length).fill(-1);
  let clashing = 0;
  one.blocks.forEach((blocks, mine) => {
    const realm = one.realms[mine];
    const meet = (at: number) => {
      const theirs = other.owner[at]!;
      if (seenBy[theirs] === mine || (isSame && theirs <= mine) || other.realms[theirs] !== realm) return;
      seenBy[theirs] = mine;
      clashing++;
    };
    for (const block of blocks) {
      const [first, last] = [one.first[block]!, one.last[block]!];
      const next = firstFrom(other.first, first);
      for (let at = next; at < other.first.length && other.first[at]! <= last; at++) meet(at);
      for (let at = next - 1; at >= 0;) {
        const isAround = other.last[at]! >= first;
        if (isAround) meet(at);
        at = isAround ? other.around[at]! : other.larger[at]!;
      }
    }
  });
  return clashing;
}

function firstFrom(sorted: Float64Array, position: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Both versions on one line of numbers: IPv4 as it is, IPv6 by the order of its ends, after it. */
function positionsOf(world: World): (text: string) => readonly [number, number] | null {
  const six = new Set<bigint>();
  for (const vpc of world.vpcs)
    for (const text of vpc.ipv6) for (const end of rangeOf(text)?.slice(0, 2) ?? []) six.add(end as bigint);
  const rank = new Map([...six].sort((a, b) => (a < b ? -1 : 1)).map((end, at) => [end, 2 ** 33 + at]));
  return (text) => {
    const range = rangeOf(text);
    if (!range) return null;
    return range[2] === 4 ? [Number(range[0]), Number(range[1])] : [rank.get(range[0])!, rank.get(range[1])!];
  };
}
