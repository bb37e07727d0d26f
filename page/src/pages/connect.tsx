/** Whether two accounts or VPCs can be connected, and why not; and the same for all accounts at a glance. */

import { useMemo } from "preact/hooks";
import { hasDefault, pairUp, type Pairing } from "../connect";
import { groupsOf, GROUPINGS, type Grouping } from "../matrix";
import { Table, type Column } from "../parts/table";
import { counted, VpcLink, Words } from "../parts/text";
import { move } from "../route";
import type { PageProps } from "../page_props";
import { accountLabel, unitOf, type Vpc, type World } from "../world";
import { Chooser, type Side } from "./chooser";
import { MatrixView } from "./matrix_view";

const MOST_PAIRS = 20_000;

export function ConnectPage({ world, place, isDark }: PageProps) {
  const sides = useMemo(() => sidesOf(world), [world]);
  const asked = place.about.get("by") ?? "account";
  const grouping: Grouping = Object.hasOwn(GROUPINGS, asked) ? (asked as Grouping) : "account";
  const groups = useMemo(() => groupsOf(world, grouping), [world, grouping]);
  const [a, b] = ["a", "b"].map((name) => sides.find((side) => side.key === place.about.get(name)) ?? null);
  const at = (side: Side | null | undefined) =>
    Math.max(
      0,
      groups.findIndex((group) => group.key === side?.key),
    );
  return (
    <>
      <div class="tools">
        <Chooser name="From" sides={sides} chosen={a ?? null} choose={(key) => move(place, { a: key })} />
        <Chooser name="To" sides={sides} chosen={b ?? null} choose={(key) => move(place, { b: key })} />
      </div>
      {a && b ? (
        <Answer a={a} b={b} />
      ) : (
        <p class="muted">Choose two accounts or VPCs, or click a cell of the matrix.</p>
      )}
      <h2>Who can be peered with whom</h2>
      <div class="tools">
        <label>
          <span>Rows and columns</span>
          <select value={grouping} onChange={(event) => move(place, { by: event.currentTarget.value })}>
            {Object.entries(GROUPINGS).map(([key, title]) => (
              <option value={key}>{title}</option>
            ))}
          </select>
        </label>
      </div>
      {groups.length ? (
        <MatrixView
          world={world}
          groups={groups}
          isDark={isDark}
          chosen={[at(a), at(b)]}
          choose={(row, column) => {
            move(place, { a: groups[row]?.key, b: groups[column]?.key });
            scrollTo({ top: 0 });
          }}
        />
      ) : (
        <p class="empty">No VPC is known yet.</p>
      )}
    </>
  );
}

/** What can be chosen: accounts by name, units and spaces, VPCs by id. */
function sidesOf(world: World): Side[] {
  const by = (key: (vpc: Vpc) => string) => {
    const found = new Map<string, Vpc[]>();
    for (const vpc of world.vpcs) {
      const some = found.get(key(vpc));
      if (some) some.push(vpc);
      else found.set(key(vpc), [vpc]);
    }
    return found;
  };
  const owned = new Map<string, Vpc[]>(world.report.accounts.map((account) => [account.id, []]));
  for (const vpc of world.vpcs) owned.get(vpc.account.id)?.push(vpc);
  const inOrder = (vpcs: Vpc[]) =>
    vpcs.sort(
      (one, other) =>
        compare(one.region, other.region) ||
        compare(one.cidrs[0] ?? "", other.cidrs[0] ?? "") ||
        compare(one.id, other.id),
    );
  return [
    ...world.report.accounts.map((account): Side => ({
      key: account.id,
      label: accountLabel(account),
      kind: "account",
      vpcs: inOrder(owned.get(account.id) ?? []),
    })),
    ...[...by((vpc) => unitOf(vpc.account))].map(([name, vpcs]): Side => ({
      key: name,
      label: `unit ${name}`,
      kind: "unit",
      vpcs,
    })),
    ...[...by((vpc) => vpc.spaceName)].map(([name, vpcs]): Side => ({
      key: name,
      label: `space ${name}`,
      kind: "space",
      vpcs,
    })),
    ...world.vpcs.map((vpc): Side => ({ key: vpc.id, label: `${vpc.id} ${vpc.name}`, kind: "VPC", vpcs: [vpc] })),
  ];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const COLUMNS: readonly Column<Pairing>[] = [
  {
    title: "VPC",
    value: (one) => `${one.source.id} ${one.source.name} ${one.source.region} ${one.source.cidrs.join(" ")}`,
    show: (one) => <End vpc={one.source} />,
  },
  {
    title: "and VPC",
    value: (one) => `${one.target.id} ${one.target.name} ${one.target.region} ${one.target.cidrs.join(" ")}`,
    show: (one) => <End vpc={one.target} />,
  },
  { title: "Peering", value: (one) => one.peering.possible, show: (one) => <Verdict word={one.peering.possible} /> },
  {
    title: "Transit gateway",
    value: (one) => one.routing.possible,
    show: (one) => <Verdict word={one.routing.possible} />,
  },
  {
    title: "In the way",
    value: (one) => one.obstacles.join(", "),
    show: (one) => <Words text={one.obstacles.join(", ")} whole />,
  },
  {
    title: "Connected already",
    value: (one) => one.links.join(", "),
    show: (one) => <Words text={one.links.join(", ")} whole />,
  },
  { title: "Why", value: whyOf, show: (one) => <Words text={whyOf(one)} whole /> },
];

function whyOf(one: Pairing): string {
  if (one.peering.because === one.routing.because) return one.peering.because;
  return [
    one.peering.because && `peering: ${one.peering.because}`,
    one.routing.because && `transit gateway: ${one.routing.because}`,
  ]
    .filter(Boolean)
    .join("; ");
}

function End({ vpc }: { vpc: Vpc }) {
  return (
    <>
      <VpcLink vpc={vpc} /> <Words text={vpc.name || (vpc.isDefault ? "default VPC" : "")} />{" "}
      <span class="muted">
        {vpc.region} {[...vpc.cidrs, ...vpc.ipv6].join(" ")}
      </span>
    </>
  );
}

function Verdict({ word }: { word: string }) {
  return <span class={`badge ${word === "yes" ? "good" : word === "no" ? "bad" : "warn"}`}>{word}</span>;
}

function Answer({ a, b }: { a: Side; b: Side }) {
  const isSame = a.key === b.key && a.kind !== "VPC";
  const isTooMuch = a.vpcs.length * b.vpcs.length > MOST_PAIRS;
  const all = useMemo(() => (isTooMuch ? [] : pairUp(a.vpcs, b.vpcs, isSame)), [a, b]);
  const chosen = all.filter((one) => !hasDefault(one));
  const shown = chosen.length ? chosen : all;
  return (
    <section aria-labelledby="answer">
      <h2 id="answer">
        <Words text={a.label} whole /> and <Words text={b.label} whole />
      </h2>
      {isTooMuch && (
        <p class="notice">
          {counted(a.vpcs.length * b.vpcs.length, "pair")} are too many to list: choose an account or a VPC.
        </p>
      )}
      {[a, b]
        .filter((side) => !side.vpcs.length)
        .map((side) => (
          <p>
            <Words text={side.label} /> has no VPC that is known.
          </p>
        ))}
      {shown.length > 0 && (
        <p role="status" class="answer">
          {totals(shown)}
        </p>
      )}
      {shown.length > 0 && (
        <Table
          name="connect"
          caption="Pairs of VPCs"
          columns={COLUMNS}
          rows={inTheWayFirst(all)}
          noun={["pair", "pairs"]}
          empty=""
        />
      )}
      {shown.length < all.length && <p class="muted">With default VPCs: {totals(all.filter(hasDefault))}</p>}
    </section>
  );
}

/** What cannot be done is what somebody came for. */
function inTheWayFirst(pairs: readonly Pairing[]): Pairing[] {
  const rank = (one: Pairing) => Number(hasDefault(one)) * 2 + Number(one.peering.possible === "yes");
  return [...pairs].sort((one, other) => rank(one) - rank(other));
}

function totals(pairs: readonly Pairing[]): string {
  const peerable = pairs.filter((one) => one.peering.possible === "yes").length;
  const [routable, partly] = ["yes", "partly"].map(
    (word) => pairs.filter((one) => one.routing.possible === word).length,
  );
  const linked = pairs.filter((one) => one.links.length).length;
  return `${counted(pairs.length, "pair")}: ${peerable} can be peered, ${routable} routed over a transit gateway${partly ? ` and ${partly} in part` : ""}${linked ? `; ${linked} joined already.` : "."}`;
}
