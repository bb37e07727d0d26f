/** The address map: the drawing, the ways into it, and the same in words beside it. */

import { useMemo } from "preact/hooks";
import { formatBlock, parseBlock, type Block } from "../addresses";
import { move } from "../route";
import { search } from "../search";
import type { PageProps } from "../page_props";
import type { Vpc } from "../world";
import { askedOf } from "./asked";
import { DARK, LIGHT } from "./colours";
import { Detail, VpcDetail } from "./detail";
import { Found } from "./found";
import { keyed } from "./keys";
import { Legend } from "./legend";
import { PoolsAndSix } from "./lists";
import { claimsInside, homeOf } from "./space";
import { Tip } from "./tip";
import { Tools, Ways } from "./tools";
import { useView } from "./use_view";
import { surroundings } from "./view";

export function MapPage({ world, place, isDark }: PageProps) {
  const asked = askedOf(world, place);
  const { vpc, space, colouring, text } = asked;
  const claims = world.claims[space] ?? [];
  const home = useMemo(() => homeOf(claims), [claims]);
  const block = asked.block ?? home;
  const found = useMemo(() => search(world, text), [world, text]);
  const theme = isDark ? DARK : LIGHT;
  const scene = useMemo(
    () => ({ world, space, colouring, theme, found: found && new Set(found.map((one) => one.index)), cursor: block }),
    [world, space, colouring, theme, found, block.first, block.length],
  );
  const choose = (next: Block, isStep: boolean) =>
    move(place, { at: formatBlock(next), vpc: null, space: world.report.spaces[space]?.name }, isStep);
  const { canvas, view, hover } = useView({ scene, block, home, isPlaced: asked.block !== null, choose });

  const go = (next: Block, isDeep: boolean) => {
    choose(next, true);
    if (isDeep) view.current?.flyTo(next);
  };
  const showVpc = (one: Vpc) => {
    const first = parseBlock(one.cidrs[0] ?? "");
    move(place, { vpc: one.id, at: null });
    if (first) view.current?.flyTo(surroundings(first));
  };
  const goToFirst = () => {
    const meant = parseBlock(text);
    if (meant) go(meant, true);
    else if (found?.[0]) showVpc(found[0]);
  };
  const onKey = (event: KeyboardEvent) => {
    const next = keyed(event, block, home, view.current, (inner) => claimsInside(claims, inner).length > 0);
    if (!next) return;
    event.preventDefault();
    if (next.to) choose(next.to, false);
    if (next.fly) view.current?.flyTo(next.fly);
    if (next.factor) view.current?.zoomBy(next.factor);
  };
  const inside = useMemo(() => claimsInside(claims, block).length, [claims, block.first, block.length]);
  const told = `${formatBlock(block)}: ${inside} VPC blocks`;
  // What a search does not change is not worked out again with every letter of it.
  const legend = useMemo(
    () => <Legend world={world} space={space} colouring={colouring} theme={theme} />,
    [world, space, colouring, theme],
  );
  const detail = useMemo(
    () => <Detail world={world} space={space} block={block} go={go} />,
    [world, place, space, block.first, block.length],
  );
  const lists = useMemo(() => <PoolsAndSix world={world} space={space} />, [world, space]);
  return (
    <>
      <Tools world={world} place={place} asked={asked} goToFirst={goToFirst} />
      <p class="aloud" role="status">
        {found ? `${found.length} VPCs found` : ""}
      </p>
      {found && <Found found={found} text={text} go={go} showVpc={showVpc} />}
      {claims.length === 0 && <p class="empty">{world.vpcs.length ? ONLY_SIX : NOTHING}</p>}
      <Ways block={block} go={go} zoomBy={(factor) => view.current?.zoomBy(factor)} />
      <div class="map">
        <div class="drawing">
          <canvas
            ref={canvas}
            tabIndex={0}
            role="application"
            aria-roledescription="address map"
            aria-label={`Address map. ${told}.`}
            aria-describedby="map-keys"
            onKeyDown={onKey}
          />
          <p id="map-keys" class="keys">
            Arrows move, Enter goes in, Escape goes out, + and − zoom, Home shows all VPCs. Wheel and drag work too.
          </p>
          {legend}
        </div>
        <aside class="side" aria-label="The chosen block">
          <p class="aloud" role="status">
            {told}
          </p>
          {vpc && vpc.cidrs.length === 0 && <VpcDetail vpc={vpc} />}
          {detail}
        </aside>
      </div>
      {hover && <Tip hover={hover} world={world} space={space} />}
      {lists}
    </>
  );
}

const NOTHING = "No VPC is known: there is nothing on the map yet.";
const ONLY_SIX = "No VPC of this space has an IPv4 block: the map shows IPv4, and IPv6 blocks are listed beneath it.";
