/** Whether two accounts or VPCs can be connected, and why not; below, a matrix of all accounts. */

import { useMemo } from "preact/hooks";
import { hasDefault, pairUp, type Pairing } from "../connect";
import { groupsOf, GROUPINGS, type Grouping } from "../matrix";
import { Table, type Column } from "../parts/table";
import { counted, VpcLink, Words } from "../parts/text";
import { move } from "../route";
import type { PageProps } from "../page_props";
import { accountLabel, unitOf, type Vpc, type World } from "../world";
import { Chooser, type Endpoint } from "./chooser";
import { MatrixView } from "./matrix_view";

const MOST_PAIRS = 20_000;

export function ConnectPage({ world, place, isDark }: PageProps) {
  const endpoints = useMemo(() => endpointsOf(world), [world]);
  const by = place.about.get("by") ?? "account";
  const grouping: Grouping = Object.hasOwn(GROUPINGS, by) ? (by as Grouping) : "account";
  const groups = useMemo(() => groupsOf(world, grouping), [world, grouping]);
  const [a, b] = ["a", "b"].map((name) => endpoints.find((endpoint) => endpoint.key === place.about.get(name)) ?? null);
  const at = (endpoint: Endpoint | null | undefined) =>
    Math.max(
      0,
      groups.findIndex((group) => group.key === endpoint?.key),
    );
  return (
    <>
      <div class="tools">
        <Chooser name="From" endpoints={endpoints} chosen={a ?? null} choose={(key) => move(place, { a: key })} />
        <Chooser name="To" endpoints={endpoints} chosen={b ?? null} choose={(key) => move(place, { b: key })} />
      </div>
      {a && b ? (
        <Answer a={a} b={b} />
      ) : (
        <p class="muted">Choose two accounts or VPCs, or click a cell of the matrix.</p>
      )}
      <h2>Which VPCs can be peered</h2>
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
        <p class="empty">No VPCs yet.</p>
      )}
    </>
  );
}

/** Return the choices: accounts by name, units, spaces, and VPCs by id. */
function endpointsOf(world: World): Endpoint[] {
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
      (vpc, other) =>
        compare(vpc.region, other.region) ||
        compare(vpc.cidrs[0] ?? "", other.cidrs[0] ?? "") ||
        compare(vpc.id, other.id),
    );
  return [
    ...world.report.accounts.map((account): Endpoint => ({
      key: account.id,
      label: accountLabel(account),
      kind: "account",
      vpcs: inOrder(owned.get(account.id) ?? []),
    })),
    ...[...by((vpc) => unitOf(vpc.account))].map(([name, vpcs]): Endpoint => ({
      key: name,
      label: `unit ${name}`,
      kind: "unit",
      vpcs,
    })),
    ...[...by((vpc) => vpc.spaceName)].map(([name, vpcs]): Endpoint => ({
      key: name,
      label: `space ${name}`,
      kind: "space",
      vpcs,
    })),
    ...world.vpcs.map((vpc): Endpoint => ({ key: vpc.id, label: `${vpc.id} ${vpc.name}`, kind: "VPC", vpcs: [vpc] })),
  ];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const COLUMNS: readonly Column<Pairing>[] = [
  {
    title: "VPC",
    value: (pair) => `${pair.source.id} ${pair.source.name} ${pair.source.region} ${pair.source.cidrs.join(" ")}`,
    show: (pair) => <End vpc={pair.source} />,
  },
  {
    title: "and VPC",
    value: (pair) => `${pair.target.id} ${pair.target.name} ${pair.target.region} ${pair.target.cidrs.join(" ")}`,
    show: (pair) => <End vpc={pair.target} />,
  },
  {
    title: "Peering",
    value: (pair) => pair.peering.possible,
    show: (pair) => <Verdict word={pair.peering.possible} />,
  },
  {
    title: "Transit gateway",
    value: (pair) => pair.routing.possible,
    show: (pair) => <Verdict word={pair.routing.possible} />,
  },
  {
    title: "Conflicts",
    value: (pair) => pair.obstacles.join(", "),
    show: (pair) => <Words text={pair.obstacles.join(", ")} whole />,
  },
  {
    title: "Already connected",
    value: (pair) => pair.links.join(", "),
    show: (pair) => <Words text={pair.links.join(", ")} whole />,
  },
  { title: "Why", value: whyOf, show: (pair) => <Words text={whyOf(pair)} whole /> },
];

function whyOf(pair: Pairing): string {
  if (pair.peering.because === pair.routing.because) return pair.peering.because;
  return [
    pair.peering.because && `peering: ${pair.peering.because}`,
    pair.routing.because && `transit gateway: ${pair.routing.because}`,
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

function Answer({ a, b }: { a: Endpoint; b: Endpoint }) {
  const isSame = a.key === b.key && a.kind !== "VPC";
  const isTooMuch = a.vpcs.length * b.vpcs.length > MOST_PAIRS;
  const all = useMemo(() => (isTooMuch ? [] : pairUp(a.vpcs, b.vpcs, isSame)), [a, b]);
  const chosen = all.filter((pair) => !hasDefault(pair));
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
        .filter((endpoint) => !endpoint.vpcs.length)
        .map((endpoint) => (
          <p>
            <Words text={endpoint.label} /> has no tracked VPCs.
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
          rows={conflictsFirst(all)}
          noun={["pair", "pairs"]}
          empty=""
        />
      )}
      {shown.length < all.length && <p class="muted">With default VPCs: {totals(all.filter(hasDefault))}</p>}
    </section>
  );
}

/** Put the pairs that cannot be peered first: readers look for those. */
function conflictsFirst(pairs: readonly Pairing[]): Pairing[] {
  const rank = (pair: Pairing) => Number(hasDefault(pair)) * 2 + Number(pair.peering.possible === "yes");
  return [...pairs].sort((pair, other) => rank(pair) - rank(other));
}

function totals(pairs: readonly Pairing[]): string {
  const peerable = pairs.filter((pair) => pair.peering.possible === "yes").length;
  const [routable, partly] = ["yes", "partly"].map(
    (word) => pairs.filter((pair) => pair.routing.possible === word).length,
  );
  const linked = pairs.filter((pair) => pair.links.length).length;
  return `${counted(pairs.length, "pair")}: ${peerable} can be peered, ${routable} routed over a transit gateway${partly ? ` and ${partly} in part` : ""}${linked ? `; ${linked} already connected.` : "."}`;
}
