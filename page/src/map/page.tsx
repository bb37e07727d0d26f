/** The address map: the drawing, its controls, and its content as text. */

import { useMemo } from "preact/hooks";
import { formatBlock, parseBlock, type Block } from "../addresses";
import { move } from "../route";
import { search } from "../search";
import type { PageProps } from "../page_props";
import type { Vpc } from "../world";
import { selectionOf } from "./selection";
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
  const selection = selectionOf(world, place);
  const { vpc, space, colouring, text } = selection;
  const claims = world.claims[space] ?? [];
  const home = useMemo(() => homeOf(claims), [claims]);
  const block = selection.block ?? home;
  const found = useMemo(() => search(world, text), [world, text]);
  const theme = isDark ? DARK : LIGHT;
  const scene = useMemo(
    () => ({
      world,
      space,
      colouring,
      theme,
      found: found && new Set(found.map((match) => match.index)),
      cursor: block,
    }),
    [world, space, colouring, theme, found, block.first, block.length],
  );
  const choose = (next: Block, isStep: boolean) =>
    move(place, { at: formatBlock(next), vpc: null, space: world.report.spaces[space]?.name }, isStep);
  const { canvas, view, hover } = useView({ scene, block, home, isPlaced: selection.block !== null, choose });

  const go = (next: Block, isDeep: boolean) => {
    choose(next, true);
    if (isDeep) view.current?.flyTo(next);
  };
  const showVpc = (chosen: Vpc) => {
    const first = parseBlock(chosen.cidrs[0] ?? "");
    move(place, { vpc: chosen.id, at: null });
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
  const summary = `${formatBlock(block)}: ${inside} VPC blocks`;
  // Parts that do not depend on the search are not rendered again at every letter.
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
      <Tools world={world} place={place} selection={selection} goToFirst={goToFirst} />
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
            aria-label={`Address map. ${summary}.`}
            aria-describedby="map-keys"
            onKeyDown={onKey}
          />
          <p id="map-keys" class="keys">
            Arrow keys move, Enter goes in, Escape goes out, + and − zoom, Home shows all VPCs. You can also scroll and
            drag.
          </p>
          {legend}
        </div>
        <aside class="side" aria-label="Selected block">
          <p class="aloud" role="status">
            {summary}
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

const NOTHING = "No VPCs yet: the map is empty.";
const ONLY_SIX = "No VPC in this space has an IPv4 block. The map shows IPv4; IPv6 blocks are listed below it.";
