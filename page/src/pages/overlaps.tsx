/** Groups of VPCs with the same addresses, and which connections they prevent. */

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
        Two blocks are either nested or disjoint: a group is an outermost block with all blocks of other VPCs inside it.
        The most harmful groups come first: those that prevent a declared connection, then those with connected VPCs,
        then those of more accounts.
      </p>
      <Table
        name="overlaps"
        caption="All overlaps"
        columns={COLUMNS}
        rows={all}
        noun={["group", "groups"]}
        empty="No overlaps."
        marked={(finding) => (finding.number === chosen?.number ? "chosen" : "")}
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
          Prevents the connection:{" "}
          {finding.hurts.map((connection) => (
            <Words text={connection} />
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
            value: (member) => member.cidr,
            show: (member) => <BlockLink text={member.cidr} space={finding.space} />,
          },
          { title: "VPC", value: (member) => member.vpc.id, show: (member) => <VpcLink vpc={member.vpc} /> },
          { title: "Name", value: (member) => member.vpc.name },
          { title: "Account", value: (member) => accountLabel(member.vpc.account) },
          { title: "Region", value: (member) => member.vpc.region },
          {
            title: "Connected",
            value: (member) =>
              member.vpc.peerings.some(([, state]) => state === "active") || member.vpc.gateways.length ? "yes" : "",
          },
        ]}
      />
    </section>
  );
}
