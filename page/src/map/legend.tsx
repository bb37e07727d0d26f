/** The legend: colours and textures of the map. */

import { Words } from "../parts/text";
import { unitOf, type World } from "../world";
import { heatOf, hueOf, type Colouring, type Theme } from "./colours";

const NAMED = 14;

export function Legend({
  world,
  space,
  colouring,
  theme,
}: {
  world: World;
  space: number;
  colouring: Colouring;
  theme: Theme;
}) {
  return (
    <section class="legend" aria-label="Legend">
      {colouring === "used" ? (
        <Heat theme={theme} />
      ) : (
        <Hues world={world} space={space} colouring={colouring} theme={theme} />
      )}
      <ul>
        <li>
          <span class="swatch hatch" />
          overlap: several VPCs have these addresses
        </li>
        <li>
          <span class="swatch quiet-hatch" />
          repeated on purpose
        </li>
        <li>
          <span class="swatch stale" />
          as last known: not read in the last run
        </li>
        <li>
          <span class="swatch pool" />
          pool (free space)
        </li>
        <li>
          <span class="swatch dots" />
          reserved
        </li>
        <li>
          <span class="swatch free" />
          free
        </li>
        <li>
          <span class="swatch outside" />
          not a private range
        </li>
      </ul>
    </section>
  );
}

function Heat({ theme }: { theme: Theme }) {
  return (
    <ul>
      {[0, 0.25, 0.5, 0.75, 1].map((share) => (
        <li>
          <span class="swatch" style={{ background: heatOf(share) }} />
          {share * 100} % in use
        </li>
      ))}
      <li>
        <span class="swatch" style={{ background: theme.unknown }} />
        unknown
      </li>
    </ul>
  );
}

function Hues({ world, space, colouring, theme }: { world: World; space: number; colouring: Colouring; theme: Theme }) {
  const found = new Map<number, { name: string; count: number }>();
  for (const { vpc } of world.claims[space] ?? []) {
    const number = colouring === "account" ? vpc.owner : (world.unitOf[vpc.owner] ?? 0);
    const name = colouring === "account" ? vpc.account.name || vpc.account.id : unitOf(vpc.account);
    const entry = found.get(number) ?? { name, count: 0 };
    entry.count++;
    found.set(number, entry);
  }
  const all = [...found].sort(([, a], [, b]) => b.count - a.count);
  return (
    <ul>
      {all.slice(0, NAMED).map(([number, { name, count }]) => (
        <li>
          <span class="swatch" style={{ background: hueOf(number, theme) }} />
          <Words text={name} /> <span class="muted">{count}</span>
        </li>
      ))}
      {all.length > NAMED && <li class="muted">and {all.length - NAMED} more</li>}
    </ul>
  );
}
