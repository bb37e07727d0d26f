/** What a policy would have done, as `landkeeper broom backtest` found out. */

import type { Backtest, Cell } from "../document";
import { Table, type Value } from "../parts/table";
import { counted, formatNumber, Words } from "../parts/text";
import type { PageProps } from "../shell";

const BY: Record<string, string> = {
  day: "By day",
  rule: "By rule",
  account: "By account",
  region: "By region",
  principal: "By principal",
};
const SHOWN = [
  "InstanceId",
  "Fate",
  "LaunchedAt",
  "Principal",
  "AccountId",
  "Region",
  "InstanceType",
  "Rule",
  "Because",
  "Doubts",
];

export function BacktestPage({ world }: PageProps) {
  const found = world.report.backtest;
  if (!found) return <p class="empty">There is no backtest in this report.</p>;
  return (
    <>
      <p>
        Policy{" "}
        <b>
          <Words text={found.policy} />
        </b>
        {spanOf(found)}.{found.partial && " Reading was stopped: the answer is partial."}
        {found.not_applied?.length
          ? ` Not applied, for a log does not tell them: ${found.not_applied.join(", ")}.`
          : ""}
      </p>
      <dl class="totals">
        {Object.entries(found.totals).map(([name, number]) => (
          <div>
            <dt>{name.replace(/(?<=[a-z])(?=[A-Z])/g, " ")}</dt>
            <dd>{formatNumber(number)}</dd>
          </div>
        ))}
      </dl>
      <h2>Instances that the policy would have hit</h2>
      <Rows
        name="backtest"
        caption="Instances that the policy would have hit"
        rows={found.instances}
        only={SHOWN}
        empty="It would have hit none."
      />
      <div class="two">
        {Object.entries(BY).map(([key, title]) => {
          const rows = (found.by[key] ?? []).filter((row) => Number(row["Hit"] ?? 1) > 0);
          return rows.length ? (
            <section>
              <h2>{title}</h2>
              <Rows name={`backtest-${key}`} caption={title} rows={rows} empty="" />
            </section>
          ) : null;
        })}
      </div>
    </>
  );
}

function spanOf({ since, until, instances }: Backtest): string {
  const span = [since && ` from ${since}`, until && ` until ${until}`].filter(Boolean).join("");
  return `${span}, ${counted(instances.length, "instance")} hit`;
}

function Rows({
  name,
  caption,
  rows,
  empty,
  only,
}: {
  name: string;
  caption: string;
  rows: readonly Record<string, Cell>[];
  empty: string;
  only?: readonly string[];
}) {
  const there = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const titles = only ? only.filter((title) => there.includes(title)) : there;
  return (
    <Table<Record<string, Cell>>
      name={name}
      caption={caption}
      rows={rows}
      empty={empty}
      columns={titles.map((title) => ({
        title: title.replace(/(?<=[a-z])(?=[A-Z])/g, " "),
        value: (row) => plain(row[title]),
        isNumber: rows.every((row) => typeof row[title] === "number"),
      }))}
    />
  );
}

function plain(cell: Cell | undefined): Value {
  if (typeof cell === "string" || typeof cell === "number") return cell;
  if (cell === null || cell === undefined) return null;
  if (typeof cell === "boolean") return cell ? "yes" : "no";
  return Array.isArray(cell)
    ? cell.join(" ")
    : Object.entries(cell)
        .map(([key, value]) => `${key}=${value}`)
        .join(" ");
}
