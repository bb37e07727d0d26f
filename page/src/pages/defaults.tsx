/** The default VPCs that have not been deleted. */

import { Table, type Column } from "../parts/table";
import { counted, formatDay, VpcLink } from "../parts/text";
import type { PageProps } from "../page_props";
import { accountLabel, unitOf, type Vpc } from "../world";

const COLUMNS: readonly Column<Vpc>[] = [
  { title: "VPC", value: (vpc) => vpc.id, show: (vpc) => <VpcLink vpc={vpc} /> },
  { title: "Account", value: (vpc) => accountLabel(vpc.account) },
  { title: "Unit", value: (vpc) => unitOf(vpc.account) },
  { title: "Region", value: (vpc) => vpc.region },
  { title: "Block", value: (vpc) => vpc.cidrs.join(" ") },
  { title: "Subnets", value: (vpc) => vpc.subnets.length, isNumber: true },
  {
    title: "In use",
    value: (vpc) => (vpc.used === null ? null : Math.round(vpc.used * 1000) / 10),
    show: (vpc) => (vpc.used === null ? "" : vpc.used > 0 ? `${(vpc.used * 100).toFixed(2)} %` : "0 %"),
    isNumber: true,
  },
  { title: "Connected", value: (vpc) => (vpc.peerings.length || vpc.gateways.length ? "yes" : "") },
  { title: "First seen", value: (vpc) => formatDay(vpc.firstSeen) },
  { title: "Stale", value: (vpc) => vpc.whyStale },
];

export function DefaultsPage({ world }: PageProps) {
  const defaults = world.vpcs.filter((vpc) => vpc.isDefault);
  const accounts = new Set(defaults.map((vpc) => vpc.owner)).size;
  return (
    <>
      <p class="muted">
        {defaults.length > 0 &&
          `${counted(defaults.length, "default VPC")} in ${counted(accounts, "account")}. All of them use 172.31.0.0/16, so no two of them can be connected.`}
      </p>
      <Table
        name="default-vpcs"
        caption="Default VPCs"
        columns={COLUMNS}
        rows={defaults}
        noun={["default VPC", "default VPCs"]}
        empty={world.vpcs.length ? "No default VPCs left." : "No VPCs yet."}
      />
    </>
  );
}
