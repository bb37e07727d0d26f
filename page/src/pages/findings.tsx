/** Groups of VPCs with the same addresses, as rows of a table. */

import type { Overlap } from "../document";
import type { Column } from "../parts/table";
import { hashOf } from "../route";
import type { World } from "../world";

export const KINDS = { collision: "overlap", default: "default VPCs", repeated: "repeated on purpose" } as const;

export interface Finding extends Omit<Overlap, "space" | "connections"> {
  readonly number: number;
  readonly space: string;
  readonly hurts: readonly string[];
  readonly owners: string;
}

export function findings(world: World): Finding[] {
  const { report, vpcs } = world;
  return report.overlaps.map((overlap, number) => ({
    ...overlap,
    number,
    space: report.spaces[overlap.space]?.name ?? "",
    hurts: overlap.connections.map((at) => report.connections[at]?.join(" to ") ?? ""),
    owners: [
      ...new Set(
        overlap.members.map(([vpc]) => vpcs[vpc]?.account).map((account) => account?.name || account?.id || ""),
      ),
    ].join(", "),
  }));
}

export const COLUMNS: readonly Column<Finding>[] = [
  {
    title: "Block",
    value: (finding) => finding.block,
    show: (finding) => (
      <a class="id" href={hashOf("overlaps", { group: String(finding.number) })}>
        {finding.block}
      </a>
    ),
  },
  {
    title: "Kind",
    value: (finding) => KINDS[finding.kind],
    show: (finding) => <span class={finding.kind === "collision" ? "badge bad" : "badge"}>{KINDS[finding.kind]}</span>,
  },
  { title: "Hurts", value: (finding) => finding.hurts.join("; ") },
  { title: "Connected VPCs", value: (finding) => finding.attached, isNumber: true },
  { title: "Accounts", value: (finding) => finding.accounts, isNumber: true },
  { title: "Blocks", value: (finding) => finding.members.length, isNumber: true },
  { title: "Who", value: (finding) => finding.owners },
  { title: "Space", value: (finding) => finding.space },
];
