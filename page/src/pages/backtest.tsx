/** What a policy would have done, according to `landkeeper broom backtest`. */

import type { Backtest, Cell } from "../document";
import { Table, type Column, type Value } from "../parts/table";
import { counted, formatNumber, formatTime, Words } from "../parts/text";
import type { PageProps } from "../page_props";

type Row = Record<string, Cell>;

const BY: Record<string, string> = {
  day: "By day",
  rule: "By rule",
  account: "By account",
  region: "By region",
  principal: "By principal",
};
/** The columns of an instance, in order, with their titles. */
const INSTANCE: Record<string, string> = {
  InstanceId: "Instance",
  Fate: "Fate",
  Was: "Fate before",
  LaunchedAt: "Launched",
  Principal: "Who",
  AccountId: "Account",
  Region: "Region",
  InstanceType: "Type",
  Rule: "Rule",
  Because: "Why",
  BroomAction: "Broom itself",
  Doubts: "In doubt",
};
const TOTALS: Record<string, string> = {
  Launches: "Launches",
  Unnamed: "Launches not judged",
  Repeats: "Records counted once",
  BroomActions: "Acted on by Broom itself",
  FilesKept: "Files from the cache",
  FilesUnread: "Files not read",
};
const COMPARED = { newly_hit: "Newly hit", newly_spared: "Newly spared", changed: "Hit differently" } as const;

export function BacktestPage({ world }: PageProps) {
  const found = world.report.backtest;
  if (!found) return <p class="empty">There is no backtest in this report.</p>;
  return (
    <>
      <Summary found={found} />
      {found.comparison &&
        Object.entries(COMPARED).map(([key, title]) => (
          <Instances
            name={`backtest-${key.replace("_", "-")}`}
            title={`${title} over ${found.comparison!.against}`}
            rows={found.comparison![key as keyof typeof COMPARED]}
          />
        ))}
      <Instances name="backtest" title="Instances that the policy would have hit" rows={found.instances} />
      {found.broom_actions && found.broom_actions.length > 0 && (
        <Instances
          name="backtest-broom-actions"
          title="Instances that Broom itself stopped or terminated"
          rows={found.broom_actions}
        />
      )}
      <div class="two">
        {Object.entries(BY).map(([key, title]) => (
          <Tallies key={key} by={key} title={title} rows={(found.by[key] ?? []).filter((row) => row["Hit"] !== 0)} />
        ))}
      </div>
    </>
  );
}

function Summary({ found }: { found: Backtest }) {
  const { Hit: hit = 0, Instances: instances = 0 } = found.totals;
  const span = [found.since && ` from ${formatTime(found.since)}`, found.until && ` until ${formatTime(found.until)}`];
  return (
    <>
      <p>
        The policy{" "}
        <b>
          <Words text={found.policy} />
        </b>{" "}
        would have hit {formatNumber(hit)} of {counted(instances, "instance")}
        {span.filter(Boolean).join("")}.{found.partial && " Reading was interrupted: the result is partial."}
      </p>
      {found.not_applied && found.not_applied.length > 0 && (
        <p class="notice">Not applied, because logs do not show them: {found.not_applied.join(", ")}.</p>
      )}
      <dl class="totals">
        {Object.entries(found.totals)
          .filter(([, number]) => number > 0)
          .map(([name, number]) => (
            <div>
              <dt>{TOTALS[name] ?? name}</dt>
              <dd>{formatNumber(number)}</dd>
            </div>
          ))}
      </dl>
    </>
  );
}

function Instances({ name, title, rows }: { name: string; title: string; rows: readonly Row[] }) {
  const columns = Object.entries(INSTANCE).filter(([key]) =>
    rows.some((row) => row[key] !== undefined && row[key] !== ""),
  );
  return (
    <>
      <h2>{title}</h2>
      <Table<Row>
        name={name}
        caption={title}
        rows={rows}
        empty="None."
        noun={["instance", "instances"]}
        columns={columns.map(([key, head]) => columnOf(key, head))}
      />
    </>
  );
}

function Tallies({ by, title, rows }: { by: string; title: string; rows: readonly Row[] }) {
  if (!rows.length) return null;
  const heads: Record<string, string> = { AccountId: "Account", Instances: by === "rule" ? "Broke it" : "Launched" };
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) =>
    rows.some((row) => row[key] !== 0),
  );
  return (
    <section>
      <h2>{title}</h2>
      <Table<Row>
        name={`backtest-${by}`}
        caption={title}
        rows={rows}
        empty=""
        columns={columns.map((key) => ({
          ...columnOf(key, heads[key] ?? key),
          isNumber: rows.every((row) => typeof row[key] === "number"),
        }))}
      />
    </section>
  );
}

function columnOf(key: string, title: string): Column<Row> {
  const column: Column<Row> = { title, value: (row) => plain(row[key]) };
  if (!key.endsWith("At")) return column;
  return { ...column, show: (row) => <span class="id">{formatTime(String(row[key] ?? ""))}</span> };
}

function plain(cell: Cell | undefined): Value {
  if (typeof cell === "string" || typeof cell === "number") return cell;
  if (cell === null || cell === undefined) return null;
  if (typeof cell === "boolean") return cell ? "yes" : "no";
  const parts = Array.isArray(cell) ? cell : Object.entries(cell).map(([key, value]) => `${key}=${value}`);
  return parts.join(" ");
}
