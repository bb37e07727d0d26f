/** The panel beside the map: the selected block, its content, and the VPCs that have it. */

import { formatAddress, formatBlock, lastOf, sizeOf, type Block } from "../addresses";
import { counted, formatNumber, formatShare, formatTime, VpcLink, Words } from "../parts/text";
import { accountLabel, unitOf, type Claim, type Vpc, type World } from "../world";
import { claimsAround, claimsInside, measure } from "./space";

const LISTED = 60;

interface Props {
  readonly world: World;
  readonly space: number;
  readonly block: Block;
  readonly go: (block: Block, isDeep: boolean) => void;
}

export function Detail({ world, space, block, go }: Props) {
  const claims = world.claims[space] ?? [];
  const inside = claimsInside(claims, block);
  const around = claimsAround(claims, block);
  const exact = inside.filter((claim) => claim.length === block.length);
  const within = inside.filter((claim) => claim.length > block.length);
  const { taken, largestFree } = measure(inside, block);
  const pools = (world.pools[space] ?? []).filter(
    (pool) => pool.block.length <= block.length && lastOf(pool.block) >= block.first && pool.block.first <= block.first,
  );
  return (
    <section class="detail" aria-labelledby="chosen">
      <h2 id="chosen">{formatBlock(block)}</h2>
      <p class="muted">
        {formatAddress(block.first)} to {formatAddress(lastOf(block))}, {counted(sizeOf(block), "address", "addresses")}
      </p>
      {around.length > 0 && (
        <p>
          Inside{" "}
          {around.map((claim) => (
            <Owner claim={claim} go={go} />
          ))}
        </p>
      )}
      {pools.map((pool) => (
        <p>
          In the pool{" "}
          <b>
            <Words text={pool.id} />
          </b>{" "}
          {pool.cidr}, {formatNumber(pool.free)} free
        </p>
      ))}
      {!around.length && !exact.length && (
        <p>
          {taken ? `${formatShare(taken / sizeOf(block))} taken` : "Free: no VPC uses it"}
          {taken > 0 && largestFree && (
            <>
              , largest free block{" "}
              <button type="button" class="link" onClick={() => go(largestFree, false)}>
                {formatBlock(largestFree)}
              </button>
            </>
          )}
        </p>
      )}
      {exact.length > 1 && <p class="alarm">{counted(exact.length, "VPC has", "VPCs have")} exactly this block.</p>}
      {exact.slice(0, 8).map((claim) => (
        <VpcDetail vpc={claim.vpc} />
      ))}
      {exact.length > 8 && <p class="muted">and {formatNumber(exact.length - 8)} more</p>}
      {within.length > 0 && <Inside claims={within} go={go} />}
    </section>
  );
}

function Owner({ claim, go }: { claim: Claim; go: Props["go"] }) {
  return (
    <span class="owner">
      <button type="button" class="link" onClick={() => go(claim, false)}>
        {claim.text}
      </button>{" "}
      of <Words text={claim.vpc.name || claim.vpc.id} />{" "}
    </span>
  );
}

/** The blocks of the drawing as a list, for keyboards and screen readers. */
function Inside({ claims, go }: { claims: readonly Claim[]; go: Props["go"] }) {
  return (
    <>
      <h3>{counted(claims.length, "VPC block")} inside</h3>
      <ul class="inside">
        {claims.slice(0, LISTED).map((claim) => (
          <li class={claim.clash === "collision" ? "clash" : undefined}>
            <button type="button" class="link" onClick={() => go(claim, true)}>
              {claim.text}
            </button>{" "}
            <Words text={claim.vpc.name || (claim.vpc.isDefault ? "default VPC" : claim.vpc.id)} />{" "}
            <span class="muted">
              <Words text={claim.vpc.account.name || claim.vpc.account.id} />
            </span>
            {claim.clash === "collision" && <span class="badge bad">overlap</span>}
            {claim.vpc.stale !== null && <span class="badge">as last known</span>}
          </li>
        ))}
      </ul>
      {claims.length > LISTED && (
        <p class="muted">and {formatNumber(claims.length - LISTED)} more: zoom in, or search</p>
      )}
    </>
  );
}

export function VpcDetail({ vpc }: { vpc: Vpc }) {
  return (
    <article class="vpc">
      <h3>
        <VpcLink vpc={vpc} /> {vpc.name && <Words text={vpc.name} whole />}
      </h3>
      <dl>
        <Fact name="Account">
          <Words text={accountLabel(vpc.account)} whole />
        </Fact>
        <Fact name="Unit">
          <Words text={unitOf(vpc.account)} whole />
        </Fact>
        <Fact name="Region">{vpc.region}</Fact>
        {vpc.isDefault && <Fact name="Kind">default VPC</Fact>}
        {vpc.state !== "available" && <Fact name="State">{vpc.state}</Fact>}
        <Fact name="Blocks">{[...vpc.cidrs, ...vpc.ipv6].join(", ")}</Fact>
        {vpc.used !== null && <Fact name="In use">{formatShare(vpc.used)} of its IPv4 addresses</Fact>}
        <Fact name="First seen">{formatTime(vpc.firstSeen)}</Fact>
        <Fact name="Last changed">{formatTime(vpc.lastChanged)}</Fact>
        {vpc.stale !== null && (
          <Fact name="As last known">{`${vpc.whyStale}; read ${formatTime(vpc.stale) || "never"}`}</Fact>
        )}
        {vpc.sharedWith.length > 0 && <Fact name="Shared with">{vpc.sharedWith.join(", ")}</Fact>}
        {vpc.tags.map(([key, value]) => (
          <Fact name={<Words text={key} whole />}>
            <Words text={value} whole />
          </Fact>
        ))}
      </dl>
      {vpc.subnets.length > 0 && (
        <details>
          <summary>{counted(vpc.subnets.length, "subnet")}</summary>
          <ul class="inside">
            {vpc.subnets.map((subnet) => (
              <li>
                {subnet.cidr || "IPv6 only"} <span class="id">{subnet.id}</span>{" "}
                <span class="muted">
                  {subnet.zone}
                  {subnet.free !== null && `, ${formatNumber(subnet.free)} free`}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </article>
  );
}

function Fact({ name, children }: { name: preact.ComponentChildren; children: preact.ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
