/** Six figures with their trends, then the most harmful overlaps. */

import type { TrendName } from "../document";
import { Sparkline } from "../parts/charts";
import { Table } from "../parts/table";
import { formatNumber } from "../parts/text";
import { hashOf } from "../route";
import type { PageProps } from "../page_props";
import { unitOf, type World } from "../world";
import { COLUMNS, findings } from "./findings";
import { isFailure } from "./region_state";

interface Figure {
  readonly name: TrendName;
  readonly title: string;
  readonly value: number | null;
  readonly page: string;
  readonly isBad?: boolean;
}

const WEEK_MS = 7 * 24 * 3_600_000;
const HURTING = 10;

export function OverviewPage({ world }: PageProps) {
  const { trends } = world.report;
  const worst = findings(world)
    .filter((finding) => finding.kind === "collision")
    .slice(0, HURTING);
  return (
    <>
      <ul class="figures">
        {figures(world).map((figure) => (
          <li class={figure.isBad && figure.value ? "figure bad" : "figure"}>
            <a href={hashOf(figure.page)}>
              <span class="title">{figure.title}</span>
              <span class="value">{figure.value === null ? "unknown" : formatNumber(figure.value)}</span>
            </a>
            {trends ? (
              <Sparkline days={trends.days} values={trends[figure.name]} name={figure.title} />
            ) : (
              <span class="no-trend">no history yet</span>
            )}
            {trends && <Move values={trends[figure.name]} days={trends.days} />}
          </li>
        ))}
      </ul>
      <h2>Most harmful overlaps</h2>
      <Table
        name="overlaps"
        caption="Most harmful overlaps"
        columns={COLUMNS}
        rows={worst}
        noun={["overlap", "overlaps"]}
        empty={world.vpcs.length ? "No accidental overlaps." : "No VPCs yet."}
      />
      <Units world={world} />
    </>
  );
}

/** The change since the first day of the trend. */
function Move({ values, days }: { values: readonly (number | null)[]; days: readonly string[] }) {
  const first = values.findIndex((value) => value !== null);
  const last = values.at(-1);
  const before = values[first];
  if (before === undefined || before === null || last === undefined || last === null || first === values.length - 1)
    return null;
  const change = last - before;
  const words = change === 0 ? "unchanged since" : `${change > 0 ? "+" : "−"}${formatNumber(Math.abs(change))} since`;
  return (
    <span class="move">
      {words} {days[first]}
    </span>
  );
}

function figures(world: World): Figure[] {
  const { report, vpcs } = world;
  const failed = report.coverage.filter(
    (account) => account.reason || account.regions.some(([, state]) => isFailure(state)),
  ).length;
  const unreadable = report.as_of ? null : (report.trends?.unreadable.at(-1) ?? failed);
  const since = Date.parse(report.generated_at) - WEEK_MS;
  const cases = report.broom?.cases.filter((found) => Date.parse(found.opened) >= since).length;
  return [
    { name: "accounts", title: "Accounts", value: report.accounts.length, page: "coverage" },
    { name: "vpcs", title: "VPCs", value: vpcs.length, page: "map" },
    {
      name: "overlaps",
      title: "Overlaps",
      value: report.overlaps.filter((overlap) => overlap.kind === "collision").length,
      page: "overlaps",
      isBad: true,
    },
    {
      name: "defaults",
      title: "Default VPCs left",
      value: vpcs.filter((vpc) => vpc.isDefault).length,
      page: "defaults",
    },
    { name: "unreadable", title: "Unreadable accounts", value: unreadable, page: "coverage", isBad: true },
    { name: "cases", title: "Cases this week", value: cases ?? null, page: "broom" },
  ];
}

function Units({ world }: { world: World }) {
  const counts = new Map<string, { unit: string; accounts: Set<number>; vpcs: number; defaults: number }>();
  for (const vpc of world.vpcs) {
    const unit = unitOf(vpc.account);
    const row = counts.get(unit) ?? { unit, accounts: new Set(), vpcs: 0, defaults: 0 };
    row.accounts.add(vpc.owner);
    row.vpcs++;
    row.defaults += Number(vpc.isDefault);
    counts.set(unit, row);
  }
  if (counts.size < 2) return null;
  return (
    <>
      <h2>Organizational units</h2>
      <Table
        name="units"
        caption="Organizational units"
        rows={[...counts.values()]}
        empty=""
        noun={["unit", "units"]}
        sortedBy={[2, true]}
        columns={[
          { title: "Unit", value: (row) => row.unit },
          { title: "Accounts with VPCs", value: (row) => row.accounts.size, isNumber: true },
          { title: "VPCs", value: (row) => row.vpcs, isNumber: true },
          { title: "Default VPCs", value: (row) => row.defaults, isNumber: true },
        ]}
      />
    </>
  );
}
