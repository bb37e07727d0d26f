/** What Broom did: by day and rule, by principal, and case by case. */

import type { Case } from "../document";
import { Bars } from "../parts/charts";
import { Table, type Column } from "../parts/table";
import { counted, formatDay, formatTime, Words } from "../parts/text";
import { hashOf } from "../route";
import type { PageProps } from "../page_props";

const COLUMNS: readonly Column<Case>[] = [
  {
    title: "Launched",
    value: (found) => found.launched,
    show: (found) => <span class="id">{formatTime(found.launched)}</span>,
  },
  {
    title: "Instance",
    value: (found) => found.instance,
    show: (found) => (
      <a class="id" href={hashOf("broom", { case: found.instance })}>
        <Words text={found.instance} />
      </a>
    ),
  },
  {
    title: "Outcome",
    value: (found) => found.outcome ?? found.state,
    show: (found) => <span class={`badge ${kindOf(found)}`}>{found.outcome ?? found.state}</span>,
  },
  { title: "Rule", value: (found) => found.rule },
  { title: "Who", value: (found) => found.principal },
  {
    title: "Account",
    value: (found) => (found.account_name ? `${found.account_name} (${found.account})` : found.account),
  },
  { title: "Region", value: (found) => found.region },
  { title: "Type", value: (found) => found.type },
  { title: "Why", value: (found) => found.how || found.because },
];

function kindOf(found: Case): string {
  if (found.state === "failed" || found.state === "held") return "warn";
  return found.action === "terminate" && (found.state === "acted" || found.state === "reported") ? "bad" : "";
}

export function BroomPage({ world, place }: PageProps) {
  const { broom } = world.report;
  if (!broom) return <p class="empty">This store has no Broom ledger.</p>;
  const chosen = broom.cases.find((found) => found.instance === place.about.get("case"));
  return (
    <>
      {chosen && <Timeline found={chosen} />}
      <p class="muted">
        Cases since {formatDay(broom.since)}, without compliant and exempt launches.
        {broom.left_out > 0 && ` ${counted(broom.left_out, "older case is", "older cases are")} left out.`}
      </p>
      {broom.cases.length > 0 && <Days cases={broom.cases} />}
      <Table
        name="cases"
        caption="Cases"
        columns={COLUMNS}
        rows={broom.cases}
        noun={["case", "cases"]}
        empty="No instance broke a rule."
        marked={(found) => (found === chosen ? "chosen" : "")}
      />
      {broom.cases.length > 0 && (
        <div class="two">
          <Counts title="Rules" cases={broom.cases} of={(found) => found.rule || "not judged yet"} />
          <Counts title="Principals" cases={broom.cases} of={(found) => found.principal || "unknown"} />
        </div>
      )}
    </>
  );
}

const RULES_SHOWN = 5;

function Days({ cases }: { cases: readonly Case[] }) {
  const rules = [...counts(cases, (found) => found.rule || "not judged yet")]
    .sort(([, a], [, b]) => b - a)
    .map(([rule]) => rule);
  const days = daysOf(cases);
  const bars = days.map((day) => {
    const some = cases.filter((found) => formatDay(found.opened) === day);
    const parts = rules.map((rule, at) => ({
      kind: `rule-${Math.min(at, RULES_SHOWN - 1)}`,
      value: some.filter((found) => (found.rule || "not judged yet") === rule).length,
    }));
    return { name: day, value: some.length, parts: parts.filter((part) => part.value) };
  });
  return (
    <section class="days" aria-labelledby="days">
      <h2 id="days">Cases by day and rule</h2>
      <Bars
        bars={bars}
        label={`Cases by day from ${days[0]} to ${days.at(-1)}, at most ${Math.max(...bars.map((bar) => bar.value))} per day; the Rules table below has the totals`}
      />
      <div class="axis" aria-hidden="true">
        <span>{days[0]}</span>
        <span>{days.at(-1)}</span>
      </div>
      <ul class="keys-of-rules">
        {rules.slice(0, RULES_SHOWN).map((rule, at) => (
          <li>
            <span class={`swatch rule-${at}`} />
            <Words text={at === RULES_SHOWN - 1 && rules.length > RULES_SHOWN ? "all others" : rule} />
          </li>
        ))}
      </ul>
    </section>
  );
}

const [LEAST_DAYS, MOST_DAYS] = [14, 91];

/** Return every day from the first case to the last, including days without cases. */
function daysOf(cases: readonly Case[]): string[] {
  const all = cases.map((found) => formatDay(found.opened)).sort();
  const last = Date.parse(all.at(-1)!);
  const first = Math.max(Date.parse(all[0]!), last - (MOST_DAYS - 1) * 86_400_000);
  const number = Math.max(LEAST_DAYS, Math.round((last - first) / 86_400_000) + 1);
  return Array.from({ length: number }, (_, at) =>
    new Date(last - (number - 1 - at) * 86_400_000).toISOString().slice(0, 10),
  );
}

function counts(cases: readonly Case[], of: (found: Case) => string): Map<string, number> {
  const tally = new Map<string, number>();
  for (const found of cases) tally.set(of(found), (tally.get(of(found)) ?? 0) + 1);
  return tally;
}

function Counts({ title, cases, of }: { title: string; cases: readonly Case[]; of: (found: Case) => string }) {
  const destroyed = counts(
    cases.filter((found) => found.outcome === "destroyed"),
    of,
  );
  const rows = [...counts(cases, of)].map(([name, number]) => ({ name, number, destroyed: destroyed.get(name) ?? 0 }));
  return (
    <section>
      <h2>{title}</h2>
      <Table
        name={title.toLowerCase()}
        caption={title}
        rows={rows}
        empty=""
        sortedBy={[1, true]}
        columns={[
          { title: title.slice(0, -1), value: (row) => row.name },
          { title: "Cases", value: (row) => row.number, isNumber: true },
          { title: "Destroyed", value: (row) => row.destroyed, isNumber: true },
        ]}
      />
    </section>
  );
}

function Timeline({ found }: { found: Case }) {
  const facts = [
    ["Account", found.account_name ? `${found.account_name} (${found.account})` : found.account],
    ["Region", found.region],
    ["Who", found.principal],
    ["Launched", formatTime(found.launched)],
    ["Image", found.image],
    ["Type", found.type],
    ["Rule", found.rule],
    ["How", found.how],
    ["Action", found.action ?? ""],
    ["Outcome", found.outcome ?? "none yet"],
    ["Because", found.because],
    [
      "Tags",
      Object.entries(found.tags)
        .map(([key, value]) => `${key}=${value}`)
        .join(", ") || "none",
    ],
  ];
  return (
    <section class="case" aria-labelledby="case">
      <h2 id="case">
        <Words text={found.instance} />
      </h2>
      <dl>
        {facts
          .filter(([, words]) => words)
          .map(([name, words]) => (
            <>
              <dt>{name}</dt>
              <dd>
                <Words text={words!} whole />
              </dd>
            </>
          ))}
      </dl>
      <h3>What happened</h3>
      <ol class="moves">
        {found.moves.map(([at, state, because]) => (
          <li>
            <time dateTime={at}>{at.replace("T", " ").replace("Z", " UTC")}</time> <b>{state}</b>{" "}
            <Words text={because} whole />
          </li>
        ))}
      </ol>
      <p>
        <a href={hashOf("broom")}>Close this case</a>
      </p>
    </section>
  );
}
