/** Accounts and regions: when each was read, or why not. */

import { Table, type Column } from "../parts/table";
import { formatAge, formatTime, Words } from "../parts/text";
import { move } from "../route";
import type { PageProps } from "../page_props";
import { accountLabel, unitOf, type World } from "../world";
import { isFailure } from "./region_state";

interface Row {
  readonly account: string;
  readonly unit: string;
  readonly region: string;
  readonly state: string;
  readonly isBad: boolean;
  readonly why: string;
  readonly at: string | null;
  readonly age: number;
}

function rowsOf(world: World): Row[] {
  const { report } = world;
  return report.coverage.flatMap((coverage) => {
    const account = report.accounts[coverage.account];
    const common = { account: account ? accountLabel(account) : "", unit: account ? unitOf(account) : "" };
    const whyOf = (state: string, code?: string) =>
      state === "complete" ? "" : (report.reasons[state] ?? state) + (code ? ` (${code})` : "");
    const age = (at: string | null) =>
      at ? Date.parse(report.generated_at) - Date.parse(at) : Number.MAX_SAFE_INTEGER;
    const whole: Row[] = coverage.reason
      ? [
          {
            ...common,
            region: "every region",
            state: coverage.reason,
            isBad: true,
            why: whyOf(coverage.reason, coverage.code),
            at: null,
            age: age(null),
          },
        ]
      : [];
    return [
      ...whole,
      ...coverage.regions.map(([region, state, at, code]) => ({
        ...common,
        region: report.regions[region] ?? "",
        state,
        isBad: isFailure(state),
        why: whyOf(state, code),
        at,
        age: age(at),
      })),
    ];
  });
}

export function CoveragePage({ world, place }: PageProps) {
  const rows = rowsOf(world);
  const isBadOnly = place.about.get("only") === "bad";
  const now = world.report.generated_at;
  const columns: readonly Column<Row>[] = [
    { title: "Account", value: (row) => row.account },
    { title: "Unit", value: (row) => row.unit },
    { title: "Region", value: (row) => row.region },
    {
      title: "State",
      value: (row) => row.state,
      show: (row) => (
        <span class={row.isBad ? "badge bad" : row.state === "complete" ? "badge good" : "badge"}>
          {row.state.replaceAll("_", " ")}
        </span>
      ),
    },
    {
      title: "Age",
      value: (row) => row.at ?? "",
      show: (row) => (
        <span class="id" title={formatTime(row.at)}>
          {formatAge(row.at, now)}
        </span>
      ),
    },
    { title: "Why", value: (row) => row.why },
  ];
  return (
    <>
      <Grid world={world} />
      <label class="check">
        <input
          type="checkbox"
          checked={isBadOnly}
          onChange={(event) => move(place, { only: event.currentTarget.checked ? "bad" : null }, false)}
        />
        Show only failed reads
      </label>
      <Table
        name="coverage"
        caption="Accounts and regions"
        columns={columns}
        rows={isBadOnly ? rows.filter((row) => row.isBad) : rows}
        noun={["region", "regions"]}
        empty={rows.length ? "Everything could be read." : "Nothing has been tracked yet."}
        marked={(row) => (row.isBad ? "bad" : "")}
      />
    </>
  );
}

const MOST_ROWS = 40;
const inWords = new Intl.Collator("en", { numeric: true });

/** Accounts by region, those with failures first; the table below has all of them as text. */
function Grid({ world }: { world: World }) {
  const { report } = world;
  if (!report.coverage.length) return null;
  const regions = [...new Set(report.coverage.flatMap((coverage) => coverage.regions.map(([region]) => region)))].sort(
    (a, b) => (report.regions[a]! < report.regions[b]! ? -1 : 1),
  );
  const bad = (coverage: (typeof report.coverage)[number]) =>
    coverage.reason ? regions.length : coverage.regions.filter(([, state]) => isFailure(state)).length;
  const name = (coverage: (typeof report.coverage)[number]) =>
    report.accounts[coverage.account]?.name || report.accounts[coverage.account]?.id || "";
  const accounts = [...report.coverage]
    .sort((a, b) => bad(b) - bad(a) || inWords.compare(name(a), name(b)))
    .slice(0, MOST_ROWS);
  if (!regions.length) return null;
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Accounts by region">
        <table class="grid">
          <caption class="aloud">Accounts by region: complete, failed, or not read on purpose</caption>
          <thead>
            <tr>
              <th scope="col">Account</th>
              {regions.map((region) => (
                <th scope="col" class="turned">
                  <span>{report.regions[region]}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {accounts.map((coverage) => {
              const states = new Map(coverage.regions.map(([region, state, at]) => [region, [state, at] as const]));
              const account = report.accounts[coverage.account];
              return (
                <tr>
                  <th scope="row">
                    <Words text={account?.name || account?.id || ""} />
                  </th>
                  {regions.map((region) => (
                    <Mark
                      read={coverage.reason ? ([coverage.reason, null] as const) : states.get(region)}
                      now={report.generated_at}
                    />
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {report.coverage.length > MOST_ROWS && (
        <p class="muted">
          The {MOST_ROWS} accounts with the most failures; the table below has all {report.coverage.length}.
        </p>
      )}
    </>
  );
}

function Mark({ read, now }: { read: readonly [string, string | null] | undefined; now: string }) {
  if (!read) return <td class="none">·</td>;
  const [state, at] = read;
  const isOld = state === "complete" && at !== null && Date.parse(now) - Date.parse(at) > 48 * 3_600_000;
  const [sign, kind] = isFailure(state)
    ? ["✕", "failed"]
    : state !== "complete"
      ? ["–", "aside"]
      : isOld
        ? ["◷", "old"]
        : ["✓", "complete"];
  return (
    <td class={kind} title={`${state}, age: ${formatAge(at, now)}`}>
      <span aria-hidden="true">{sign}</span>
      <span class="aloud">{isOld ? `complete, ${formatAge(at, now)} old` : state}</span>
    </td>
  );
}
