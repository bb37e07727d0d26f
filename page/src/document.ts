/** The document, as report.schema.json describes it. */

export const KNOWN_VERSION = 1;

export interface Report {
  version: number;
  generated_at: string;
  as_of: string | null;
  source: string;
  landkeeper: string;
  notices: string[];
  accounts: Account[];
  regions: string[];
  partitions?: string[];
  zones: string[];
  words: string[];
  spaces: Space[];
  connections: [from: string, to: string][];
  vpcs: WrittenVpc[];
  overlaps: Overlap[];
  pools: Pool[];
  coverage: Coverage[];
  reasons: Record<string, string>;
  trends: Trends | null;
  broom: { since: string; left_out: number; cases: Case[] } | null;
  backtest: Backtest | null;
}

export interface Account {
  id: string;
  name: string;
  unit: string | null;
  state: string;
}

export interface Space {
  name: string;
  repeats_on_purpose: string[];
}

/** Id without `subnet-`, CIDR block or empty, zone index, free addresses. */
export type WrittenSubnet = [id: string, cidr: string, zone: number, free: number | null];

/** A missing key has its default. */
export interface WrittenVpc {
  id: string;
  account: number;
  region: number;
  space?: number;
  name?: string;
  state?: string;
  default?: true;
  cidrs: string[];
  ipv6?: string[];
  tags?: number[];
  subnets: WrittenSubnet[];
  peerings?: Peering[];
  gateways?: string[];
  first_seen: string;
  last_changed?: string;
  stale?: string;
  why_stale?: string;
  shared_with?: string[];
  used?: number;
}

export type Peering = [id: string, state: string, peer: string];

export interface Overlap {
  space: number;
  block: string;
  kind: "collision" | "default" | "repeated";
  accounts: number;
  attached: number;
  connections: number[];
  members: [vpc: number, cidr: string][];
}

export interface Pool {
  id: string;
  cidr: string;
  parent: string | null;
  space: string;
  region: string | null;
  min: number;
  max: number;
  used: number;
  reserved: number;
  in_pools: number;
  free: number;
  largest_free: string | null;
  full_on: string | null;
  reservations: Reservation[];
}

export interface Reservation {
  id: string;
  cidr: string;
  room: string | null;
  account: string | null;
  region: string | null;
  state: "conflict" | "used" | "reserved" | "over" | "elsewhere" | "pool";
  for: string;
  expires: string | null;
  vpcs: string[];
}

export interface Coverage {
  account: number;
  tried_at: string | null;
  reason?: string;
  code?: string;
  failed_runs?: number;
  regions: [region: number, state: string, at: string | null, code?: string][];
}

export type TrendName = "vpcs" | "accounts" | "overlaps" | "defaults" | "unreadable" | "cases";
export type Trends = { days: string[] } & Record<TrendName, (number | null)[]>;

export interface Case {
  instance: string;
  account: string;
  account_name: string;
  region: string;
  state: string;
  outcome: string | null;
  rule: string;
  how: string;
  action: string | null;
  principal: string;
  image: string;
  type: string;
  tags: Record<string, string>;
  launched: string;
  opened: string;
  changed: string;
  because: string;
  moves: [at: string, state: string, because: string][];
}

export type Cell = string | number | boolean | null | Record<string, string> | string[];

/** The output of `landkeeper broom backtest --format json`; see docs/backtest.md. */
export interface Backtest {
  policy: string;
  since: string | null;
  until: string | null;
  partial: boolean;
  totals: Record<string, number>;
  by: Record<string, Record<string, Cell>[]>;
  instances: Record<string, Cell>[];
  broom_actions?: Record<string, Cell>[];
  not_applied?: string[];
  comparison?: {
    against: string;
    newly_hit: Record<string, Cell>[];
    newly_spared: Record<string, Cell>[];
    changed: Record<string, Cell>[];
  };
}
