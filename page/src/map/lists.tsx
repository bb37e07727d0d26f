/** Below the map: pools with their reservations, and VPCs with IPv6, which the map of IPv4 cannot show. */

import type { Pool, Reservation } from "../document";
import { Table, type Column } from "../parts/table";
import { BlockLink, formatTime, VpcLink } from "../parts/text";
import { accountLabel, type Vpc, type World } from "../world";

const POOLS: readonly Column<Pool>[] = [
  { title: "Pool", value: (pool) => pool.id },
  { title: "Block", value: (pool) => pool.cidr, show: (pool) => <BlockLink text={pool.cidr} space={pool.space} /> },
  { title: "Inside", value: (pool) => pool.parent ?? "" },
  { title: "Region", value: (pool) => pool.region ?? "any" },
  { title: "Gives", value: (pool) => `/${pool.min} to /${pool.max}` },
  { title: "Used", value: (pool) => pool.used, isNumber: true },
  { title: "Reserved", value: (pool) => pool.reserved, isNumber: true },
  { title: "In pools", value: (pool) => pool.in_pools, isNumber: true },
  { title: "Free", value: (pool) => pool.free, isNumber: true },
  { title: "Largest free", value: (pool) => pool.largest_free ?? "none" },
  { title: "Full on", value: (pool) => pool.full_on ?? "" },
];

const WORDS: Record<Reservation["state"], string> = {
  conflict: "conflict",
  used: "used",
  reserved: "reserved",
  over: "expired",
  elsewhere: "used outside AWS",
  pool: "pool inside",
};

type Kept = Reservation & { pool: string; space: string };

const RESERVATIONS: readonly Column<Kept>[] = [
  {
    title: "Block",
    value: (reservation) => reservation.cidr,
    show: (reservation) => <BlockLink text={reservation.cidr} space={reservation.space} />,
  },
  { title: "Pool", value: (reservation) => reservation.pool },
  { title: "State", value: (reservation) => WORDS[reservation.state] },
  { title: "For", value: (reservation) => reservation.for },
  { title: "Account", value: (reservation) => reservation.account ?? "" },
  { title: "Region", value: (reservation) => reservation.region ?? "" },
  { title: "Room to grow", value: (reservation) => reservation.room ?? "" },
  { title: "Expires", value: (reservation) => formatTime(reservation.expires) },
  { title: "VPCs", value: (reservation) => reservation.vpcs.join(" ") },
];

const SIX: readonly Column<Vpc>[] = [
  { title: "IPv6", value: (vpc) => vpc.ipv6.join(" ") },
  { title: "VPC", value: (vpc) => vpc.id, show: (vpc) => <VpcLink vpc={vpc} /> },
  { title: "Name", value: (vpc) => vpc.name },
  { title: "Account", value: (vpc) => accountLabel(vpc.account) },
  { title: "Region", value: (vpc) => vpc.region },
  { title: "IPv4", value: (vpc) => vpc.cidrs.join(" ") },
];

export function PoolsAndSix({ world, space }: { world: World; space: number }) {
  const pools = world.pools[space] ?? [];
  const kept = pools.flatMap((pool) =>
    pool.reservations.map((reservation) => ({ ...reservation, pool: pool.id, space: pool.space })),
  );
  const six = world.vpcs.filter((vpc) => vpc.space === space && vpc.ipv6.length);
  return (
    <>
      <h2>Pools</h2>
      <Table
        name="pools"
        caption="Pools"
        columns={POOLS}
        rows={pools}
        empty="This space has no pools."
        noun={["pool", "pools"]}
      />
      {kept.length > 0 && (
        <>
          <h2>Reservations</h2>
          <Table
            name="reservations"
            caption="Reservations"
            columns={RESERVATIONS}
            rows={kept}
            empty=""
            noun={["reservation", "reservations"]}
          />
        </>
      )}
      {six.length > 0 && (
        <>
          <h2>VPCs with IPv6</h2>
          <Table name="ipv6" caption="VPCs with IPv6" columns={SIX} rows={six} empty="" noun={["VPC", "VPCs"]} />
        </>
      )}
    </>
  );
}
