/** Groups of VPCs that claim the same addresses, as rows of a table. */

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
  return report.overlaps.map((one, number) => ({
    ...one,
    number,
    space: report.spaces[one.space]?.name ?? "",
    hurts: one.connections.map((at) => report.connections[at]?.join(" to ") ?? ""),
    owners: [
      ...new Set(one.members.map(([vpc]) => vpcs[vpc]?.account).map((account) => account?.name || account?.id || "")),
    ].join(", "),
  }));
}

export const COLUMNS: readonly Column<Finding>[] = [
  {
    title: "Block",
    value: (one) => one.block,
    show: (one) => (
      <a class="id" href={hashOf("overlaps", { group: String(one.number) })}>
        {one.block}
      </a>
    ),
  },
  {
    title: "Kind",
    value: (one) => KINDS[one.kind],
    show: (one) => <span class={one.kind === "collision" ? "badge bad" : "badge"}>{KINDS[one.kind]}</span>,
  },
  { title: "Hurts", value: (one) => one.hurts.join("; ") },
  { title: "Connected VPCs", value: (one) => one.attached, isNumber: true },
  { title: "Accounts", value: (one) => one.accounts, isNumber: true },
  { title: "Blocks", value: (one) => one.members.length, isNumber: true },
  { title: "Who", value: (one) => one.owners },
  { title: "Space", value: (one) => one.space },
];
