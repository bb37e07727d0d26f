/** Groups of VPCs that claim the same addresses, and who is hurt. */

import { Table } from "../parts/table";
import { BlockLink, counted, VpcLink, Words } from "../parts/text";
import { hashOf } from "../route";
import type { PageProps } from "../page_props";
import { accountLabel, type Vpc, type World } from "../world";
import { COLUMNS, findings, KINDS, type Finding } from "./findings";

export function OverlapsPage({ world, place }: PageProps) {
  const all = findings(world);
  const chosen = place.about.has("group") ? all[Number(place.about.get("group"))] : undefined;
  return (
    <>
      {chosen && <Group finding={chosen} world={world} />}
      <p class="muted">
        Blocks are nested or apart: a group is an outermost block and all blocks of other VPCs inside it. What hurts
        most comes first: a declared connection, then VPCs that are connected already, then the number of accounts.
      </p>
      <Table
        name="overlaps"
        caption="All overlaps"
        columns={COLUMNS}
        rows={all}
        noun={["group", "groups"]}
        empty="No VPC overlaps another."
        marked={(one) => (one.number === chosen?.number ? "chosen" : "")}
      />
    </>
  );
}

interface Member {
  readonly cidr: string;
  readonly vpc: Vpc;
}

function Group({ finding, world }: { finding: Finding; world: World }) {
  const members = finding.members.flatMap(([at, cidr]) => (world.vpcs[at] ? [{ cidr, vpc: world.vpcs[at] }] : []));
  return (
    <section class="group" aria-labelledby="group">
      <h2 id="group">{finding.block}</h2>
      <p>
        {counted(members.length, "block")} of {counted(finding.accounts, "account")} in the space{" "}
        <Words text={finding.space} />, {KINDS[finding.kind]}.{" "}
        {finding.attached > 0 &&
          `${counted(finding.attached, "VPC is", "VPCs are")} peered or attached to a transit gateway. `}
        <a href={hashOf("map", { at: finding.block, space: finding.space })}>Show on the map</a>
      </p>
      {finding.hurts.length > 0 && (
        <p class="alarm">
          In the way of:{" "}
          {finding.hurts.map((one) => (
            <Words text={one} />
          ))}
        </p>
      )}
      <Table<Member>
        name={`overlap-${finding.block.replace("/", "-")}`}
        caption={`Members of ${finding.block}`}
        rows={members}
        empty=""
        noun={["block", "blocks"]}
        columns={[
          {
            title: "Block",
            value: (one) => one.cidr,
            show: (one) => <BlockLink text={one.cidr} space={finding.space} />,
          },
          { title: "VPC", value: (one) => one.vpc.id, show: (one) => <VpcLink vpc={one.vpc} /> },
          { title: "Name", value: (one) => one.vpc.name },
          { title: "Account", value: (one) => accountLabel(one.vpc.account) },
          { title: "Region", value: (one) => one.vpc.region },
          {
            title: "Connected",
            value: (one) =>
              one.vpc.peerings.some(([, state]) => state === "active") || one.vpc.gateways.length ? "yes" : "",
          },
        ]}
      />
    </section>
  );
}
