/** The expanded document: defaults filled in, indexes resolved, blocks sorted for drawing. */

import { contains, parseBlock, type Block } from "./addresses";
import type { Account, Overlap, Peering, Pool, Report, WrittenVpc } from "./document";

export interface Subnet {
  readonly id: string;
  readonly cidr: string;
  readonly zone: string;
  readonly free: number | null;
}

export interface Vpc {
  readonly index: number;
  readonly id: string;
  readonly account: Account;
  readonly owner: number;
  readonly region: string;
  readonly partition: string;
  readonly space: number;
  readonly spaceName: string;
  readonly name: string;
  readonly state: string;
  readonly isDefault: boolean;
  readonly cidrs: readonly string[];
  readonly ipv6: readonly string[];
  readonly tags: readonly (readonly [string, string])[];
  readonly subnets: readonly Subnet[];
  readonly peerings: readonly Peering[];
  readonly gateways: readonly string[];
  readonly firstSeen: string;
  readonly lastChanged: string;
  readonly stale: string | null;
  readonly whyStale: string;
  readonly sharedWith: readonly string[];
  readonly used: number | null;
}

/** A block of a VPC, as the map shows it. */
export interface Claim extends Block {
  readonly text: string;
  readonly vpc: Vpc;
  /** The kind of overlap if another VPC's block contains or equals this block; else empty. */
  readonly clash: "" | Overlap["kind"];
}

export interface World {
  readonly report: Report;
  readonly vpcs: readonly Vpc[];
  /** For each space, its blocks by address, outer blocks before those inside them. */
  readonly claims: readonly (readonly Claim[])[];
  readonly pools: readonly (readonly (Pool & { block: Block })[])[];
  readonly units: readonly string[];
  /** For each account, the index of its unit in `units`. */
  readonly unitOf: readonly number[];
}

export function unfold(report: Report): World {
  const vpcs = report.vpcs.map((vpc, index) => unfoldVpc(report, vpc, index));
  const clashes = clashesOf(report);
  const claims: Claim[][] = report.spaces.map(() => []);
  for (const vpc of vpcs) {
    for (const text of vpc.cidrs) {
      const block = parseBlock(text);
      if (block) claims[vpc.space]?.push({ ...block, text, vpc, clash: clashes.get(`${vpc.index} ${text}`) ?? "" });
    }
  }
  for (const some of claims) some.sort((a, b) => a.first - b.first || a.length - b.length);
  const pools = report.spaces.map(({ name }) =>
    report.pools.flatMap((pool) => {
      const block = pool.space === name ? parseBlock(pool.cidr) : null;
      return block ? [{ ...pool, block }] : [];
    }),
  );
  const units = [...new Set(report.accounts.map(unitOf))].sort();
  const numbers = new Map(units.map((unit, number) => [unit, number]));
  return {
    report,
    vpcs,
    claims,
    pools,
    units,
    unitOf: report.accounts.map((account) => numbers.get(unitOf(account)) ?? 0),
  };
}

export function unitOf(account: Account): string {
  return account.unit === null ? "(unknown)" : account.unit || "(root)";
}

export function accountLabel(account: Account): string {
  return account.name ? `${account.name} (${account.id})` : account.id;
}

function unfoldVpc(report: Report, vpc: WrittenVpc, index: number): Vpc {
  const space = vpc.space ?? report.spaces.length - 1;
  const words = vpc.tags ?? [];
  return {
    index,
    id: vpc.id,
    account: report.accounts[vpc.account] ?? { id: "", name: "", unit: null, state: "" },
    owner: vpc.account,
    region: report.regions[vpc.region] ?? "",
    partition: report.partitions?.[vpc.region] ?? "aws",
    space,
    spaceName: report.spaces[space]?.name ?? "",
    name: vpc.name ?? "",
    state: vpc.state ?? "available",
    isDefault: vpc.default ?? false,
    cidrs: vpc.cidrs,
    ipv6: vpc.ipv6 ?? [],
    tags: words.flatMap((word, at) =>
      at % 2 ? [] : [[report.words[word] ?? "", report.words[words[at + 1] ?? -1] ?? ""] as const],
    ),
    // A report can have a hundred thousand subnets, and only a closely zoomed map shows them.
    get subnets() {
      return vpc.subnets.map(([id, cidr, zone, free]) => ({
        id: `subnet-${id}`,
        cidr,
        zone: report.zones[zone] ?? "",
        free,
      }));
    },
    peerings: vpc.peerings ?? [],
    gateways: vpc.gateways ?? [],
    firstSeen: vpc.first_seen,
    lastChanged: vpc.last_changed ?? vpc.first_seen,
    stale: vpc.stale ?? null,
    whyStale: vpc.why_stale ?? "",
    sharedWith: vpc.shared_with ?? [],
    used: vpc.used ?? null,
  };
}

/** Return the kind of overlap of each block whose addresses another VPC has too. */
function clashesOf(report: Report): Map<string, Overlap["kind"]> {
  const found = new Map<string, Overlap["kind"]>();
  for (const overlap of report.overlaps) {
    const members = overlap.members
      .map(([vpc, text]) => ({ vpc, text, block: parseBlock(text) }))
      .filter((member): member is { vpc: number; text: string; block: Block } => member.block !== null)
      .sort((a, b) => a.block.first - b.block.first || a.block.length - b.block.length);
    const around: { vpc: number; block: Block; text: string }[] = [];
    for (const member of members) {
      while (around.length && !contains(around.at(-1)!.block, member.block)) around.pop();
      if (around.some((outer) => outer.vpc !== member.vpc)) found.set(`${member.vpc} ${member.text}`, overlap.kind);
      const nearest = around.at(-1);
      const isTwin = nearest?.block.length === member.block.length && nearest.vpc !== member.vpc;
      if (isTwin) found.set(`${nearest.vpc} ${nearest.text}`, overlap.kind);
      around.push(member);
    }
  }
  return found;
}
