/** What Broom did: by day and rule, by principal, case by case. */

import type { Case } from "../document";
import { Bars } from "../parts/charts";
import { Table, type Column } from "../parts/table";
import { counted, formatDay, formatTime, Words } from "../parts/text";
import { hashOf } from "../route";
import type { PageProps } from "../page_props";

const COLUMNS: readonly Column<Case>[] = [
  {
    title: "Launched",
    value: (one) => one.launched,
    show: (one) => <span class="id">{formatTime(one.launched)}</span>,
  },
  {
    title: "Instance",
    value: (one) => one.instance,
    show: (one) => (
      <a class="id" href={hashOf("broom", { case: one.instance })}>
        <Words text={one.instance} />
      </a>
    ),
  },
  {
    title: "Outcome",
    value: (one) => one.outcome ?? one.state,
    show: (one) => <span class={`badge ${kindOf(one)}`}>{one.outcome ?? one.state}</span>,
  },
  { title: "Rule", value: (one) => one.rule },
  { title: "Who", value: (one) => one.principal },
  { title: "Account", value: (one) => (one.account_name ? `${one.account_name} (${one.account})` : one.account) },
  { title: "Region", value: (one) => one.region },
  { title: "Type", value: (one) => one.type },
  { title: "Why", value: (one) => one.how || one.because },
];

function kindOf(one: Case): string {
  if (one.state === "failed" || one.state === "held") return "warn";
  return one.action === "terminate" && (one.state === "acted" || one.state === "reported") ? "bad" : "";
}

export function BroomPage({ world, place }: PageProps) {
  const { broom } = world.report;
  if (!broom) return <p class="empty">There is no ledger of Broom in this store: nothing to show.</p>;
  const chosen = broom.cases.find((one) => one.instance === place.about.get("case"));
  return (
    <>
      {chosen && <Timeline one={chosen} />}
      <p class="muted">
        Cases since {formatDay(broom.since)}, without launches that kept every rule or were exempt.
        {broom.left_out > 0 && ` ${counted(broom.left_out, "older case is", "older cases are")} not in this report.`}
      </p>
      {broom.cases.length > 0 && <Days cases={broom.cases} />}
      <Table
        name="cases"
        caption="Cases"
        columns={COLUMNS}
        rows={broom.cases}
        noun={["case", "cases"]}
        empty="No instance broke a rule."
        marked={(one) => (one === chosen ? "chosen" : "")}
      />
      {broom.cases.length > 0 && (
        <div class="two">
          <Counts title="Rules" cases={broom.cases} of={(one) => one.rule || "not judged yet"} />
          <Counts title="Principals" cases={broom.cases} of={(one) => one.principal || "not known"} />
        </div>
      )}
    </>
  );
}

const RULES_SHOWN = 5;

function Days({ cases }: { cases: readonly Case[] }) {
  const rules = [...counts(cases, (one) => one.rule || "not judged yet")]
    .sort(([, a], [, b]) => b - a)
    .map(([rule]) => rule);
  const days = daysOf(cases);
  const bars = days.map((day) => {
    const some = cases.filter((one) => formatDay(one.opened) === day);
    const parts = rules.map((rule, at) => ({
      kind: `rule-${Math.min(at, RULES_SHOWN - 1)}`,
      value: some.filter((one) => (one.rule || "not judged yet") === rule).length,
    }));
    return { name: day, value: some.length, parts: parts.filter((part) => part.value) };
  });
  return (
    <section class="days" aria-labelledby="days">
      <h2 id="days">Cases by day and rule</h2>
      <Bars
        bars={bars}
        label={`Cases by day from ${days[0]} to ${days.at(-1)}, at most ${Math.max(...bars.map((bar) => bar.value))} a day; the table of rules beneath has the sums`}
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

/** Every day from the first case to the last, also those without any. */
function daysOf(cases: readonly Case[]): string[] {
  const all = cases.map((one) => formatDay(one.opened)).sort();
  const last = Date.parse(all.at(-1)!);
  const first = Math.max(Date.parse(all[0]!), last - (MOST_DAYS - 1) * 86_400_000);
  const number = Math.max(LEAST_DAYS, Math.round((last - first) / 86_400_000) + 1);
  return Array.from({ length: number }, (_, at) =>
    new Date(last - (number - 1 - at) * 86_400_000).toISOString().slice(0, 10),
  );
}

function counts(cases: readonly Case[], of: (one: Case) => string): Map<string, number> {
  const found = new Map<string, number>();
  for (const one of cases) found.set(of(one), (found.get(of(one)) ?? 0) + 1);
  return found;
}

function Counts({ title, cases, of }: { title: string; cases: readonly Case[]; of: (one: Case) => string }) {
  const destroyed = counts(
    cases.filter((one) => one.outcome === "destroyed"),
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
          { title: "Of these destroyed", value: (row) => row.destroyed, isNumber: true },
        ]}
      />
    </section>
  );
}

function Timeline({ one }: { one: Case }) {
  const facts = [
    ["Account", one.account_name ? `${one.account_name} (${one.account})` : one.account],
    ["Region", one.region],
    ["Who", one.principal],
    ["Launched", formatTime(one.launched)],
    ["Image", one.image],
    ["Type", one.type],
    ["Rule", one.rule],
    ["How", one.how],
    ["Action", one.action ?? ""],
    ["Outcome", one.outcome ?? "none so far"],
    ["Because", one.because],
    [
      "Tags",
      Object.entries(one.tags)
        .map(([key, value]) => `${key}=${value}`)
        .join(", ") || "none",
    ],
  ];
  return (
    <section class="case" aria-labelledby="case">
      <h2 id="case">
        <Words text={one.instance} />
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
        {one.moves.map(([at, state, because]) => (
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
