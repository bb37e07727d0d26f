/** How many pairs of VPCs of two accounts, units or spaces can be peered. Cells are computed when they are shown. */

import { rangeOf } from "./addresses";
import { unitOf, type Vpc, type World } from "./world";

export const GROUPINGS = { account: "accounts", unit: "units", space: "spaces" } as const;
export type Grouping = keyof typeof GROUPINGS;

export type Answer = "yes" | "partly" | "no" | "apart" | "none";

export interface CellOfMatrix {
  readonly answer: Answer;
  readonly pairs: number;
  readonly peerable: number;
  /** Pairs in different spaces or partitions. */
  readonly apart: number;
  readonly linked: boolean;
}

export interface Group {
  readonly key: string;
  readonly label: string;
  readonly vpcs: readonly Vpc[];
}

/** The blocks of some VPCs, outer blocks before those inside them: first and last position, and their VPCs. */
interface Lines {
  readonly vpcs: readonly Vpc[];
  readonly first: Float64Array;
  readonly last: Float64Array;
  readonly owner: Int32Array;
  /** For each block, the nearest earlier block that contains or equals it; -1 if there is none. */
  readonly around: Int32Array;
  /** For each block, the nearest earlier block that contains it and is larger; -1 if there is none. */
  readonly larger: Int32Array;
  /** The blocks of each VPC. */
  readonly blocks: readonly (readonly number[])[];
  /** The space and partition of each VPC. */
  readonly realms: readonly string[];
  readonly ids: ReadonlySet<string>;
  /** The VPCs with which they have active peerings. */
  readonly peers: readonly string[];
}

/** Return the groups by name. Default VPCs count only in groups without others: no two of them can be connected. */
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
      first: Float64Array.from(all, (block) => block.range[0]),
      last: Float64Array.from(all, (block) => block.range[1]),
      owner: Int32Array.from(all, (block) => block.owner),
      realms: vpcs.map((vpc) => `${vpc.partition} ${vpc.space}`),
      ids: new Set(vpcs.map((vpc) => vpc.id)),
      peers: vpcs.flatMap((vpc) => vpc.peerings.flatMap(([, state, peer]) => (state === "active" ? [peer] : []))),
    };
  }

  private count(rows: Lines, columns: Lines, isSame: boolean): CellOfMatrix {
    const [n, m] = [rows.vpcs.length, columns.vpcs.length];
    const pairs = isSame ? (n * (n - 1)) / 2 : n * m;
    if (!pairs) return { answer: "none", pairs: 0, peerable: 0, apart: 0, linked: false };
    const together = togetherOf(rows, columns, isSame);
    const clashing = clashingOf(rows, columns, isSame);
    const peerable = together - clashing;
    const answer = !together ? "apart" : !clashing && together === pairs ? "yes" : peerable ? "partly" : "no";
    return {
      answer,
      pairs,
      peerable,
      apart: pairs - together,
      linked: tellsOf(rows, columns) || tellsOf(columns, rows),
    };
  }
}

/** Whether a VPC of the first group has an active peering with a VPC of the second. */
function tellsOf(rows: Lines, columns: Lines): boolean {
  return rows.peers.some((peer) => columns.ids.has(peer));
}

/** Return how many pairs are in the same space and partition. */
function togetherOf(rows: Lines, columns: Lines, isSame: boolean): number {
  const counts = new Map<string, number>();
  for (const realm of rows.realms) counts.set(realm, (counts.get(realm) ?? 0) + 1);
  let together = 0;
  if (isSame) for (const number of counts.values()) together += (number * (number - 1)) / 2;
  else for (const realm of columns.realms) together += counts.get(realm) ?? 0;
  return together;
}

/** Return how many pairs in the same space and partition have addresses in common. */
function clashingOf(rows: Lines, columns: Lines, isSame: boolean): number {
  const seenBy = new Int32Array(columns.vpcs.length).fill(-1);
  let clashing = 0;
  rows.blocks.forEach((blocks, mine) => {
    const realm = rows.realms[mine];
    const meet = (at: number) => {
      const theirs = columns.owner[at]!;
      if (seenBy[theirs] === mine || (isSame && theirs <= mine) || columns.realms[theirs] !== realm) return;
      seenBy[theirs] = mine;
      clashing++;
    };
    for (const block of blocks) {
      const [first, last] = [rows.first[block]!, rows.last[block]!];
      const next = firstFrom(columns.first, first);
      for (let at = next; at < columns.first.length && columns.first[at]! <= last; at++) meet(at);
      for (let at = next - 1; at >= 0;) {
        const isAround = columns.last[at]! >= first;
        if (isAround) meet(at);
        at = isAround ? columns.around[at]! : columns.larger[at]!;
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

/** Map IPv4 and IPv6 blocks to one line of numbers: IPv4 by address, then IPv6 by the rank of its ends. */
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
