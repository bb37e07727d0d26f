/** The address map: the drawing, the ways into it, and the same in words beside it. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { blockAt, breadcrumb, formatBlock, parseBlock, type Block } from "../addresses";
import { Words } from "../parts/text";
import { move } from "../route";
import { search } from "../search";
import type { PageProps } from "../shell";
import type { Vpc } from "../world";
import { COLOURINGS, DARK, LIGHT, type Colouring } from "./colours";
import { Detail, VpcDetail } from "./detail";
import { Found } from "./found";
import { Legend } from "./legend";
import { PoolsAndSix } from "./lists";
import { claimsInside, EVERYTHING, homeOf, RANGES } from "./space";
import { Tip, type Hover } from "./tip";
import { MapView, surroundings } from "./view";

export function MapPage({ world, place, isDark }: PageProps) {
  const asked = place.about;
  const vpc = world.vpcs.find((one) => one.id === asked.get("vpc")) ?? null;
  const named = world.report.spaces.findIndex((one) => one.name === asked.get("space"));
  const space = vpc ? vpc.space : named >= 0 ? named : world.claims.reduce((best, some, at, all) => (some.length > all[best]!.length ? at : best), 0);
  const claims = world.claims[space] ?? [];
  const home = useMemo(() => homeOf(claims), [claims]);
  const colouring = (asked.get("colour") ?? "account") in COLOURINGS ? ((asked.get("colour") ?? "account") as Colouring) : "account";
  const block = parseBlock(asked.get("at") ?? vpc?.cidrs[0] ?? "") ?? home;
  const text = asked.get("q") ?? "";
  const found = useMemo(() => search(world, text), [world, text]);
  const [hover, setHover] = useState<Hover | null>(null);
  const theme = isDark ? DARK : LIGHT;
  const scene = useMemo(
    () => ({ world, space, colouring, theme, found: found && new Set(found.map((one) => one.index)), cursor: block }),
    [world, space, colouring, theme, found, block.first, block.length],
  );

  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useRef<MapView | null>(null);
  const choose = useRef<(block: Block, isStep: boolean) => void>(() => {});
  choose.current = (next, isStep) => move(place, { at: formatBlock(next), vpc: null, space: world.report.spaces[space]?.name }, isStep);
  const isPlaced = asked.has("at") || vpc !== null;
  useEffect(() => {
    if (!canvas.current) return;
    const made = new MapView(canvas.current, scene, { choose: (...given) => choose.current(...given), hover: (over, x, y) => setHover(over && { block: over, x, y }) }, isPlaced ? surroundings(block) : home);
    view.current = made;
    return () => made.end();
  }, []);
  useEffect(() => view.current?.show(scene), [scene]);
  useEffect(() => {
    if (!isPlaced) view.current?.flyTo(home);
  }, [space]);
  useEffect(() => {
    if (isPlaced) view.current?.reveal(block);
  }, [block.first, block.length, space]);

  const go = (next: Block, isDeep: boolean) => {
    choose.current(next, true);
    if (isDeep) view.current?.flyTo(next);
  };
  const goToFirst = () => {
    const meant = parseBlock(text);
    if (meant) go(meant, true);
    else if (found?.[0]) showVpc(found[0], place, view.current);
  };
  const onKey = (event: KeyboardEvent) => {
    const next = keyed(event.key, block, home, view.current, (inner) => claimsInside(claims, inner).length > 0);
    if (!next) return;
    event.preventDefault();
    if (next.to) choose.current(next.to, false);
    if (next.fly) view.current?.flyTo(next.fly);
    if (next.factor) view.current?.zoomBy(next.factor);
  };
  const inside = useMemo(() => claimsInside(claims, block).length, [claims, block.first, block.length]);
  // What a search does not change is not worked out again with every letter of it.
  const legend = useMemo(() => <Legend world={world} space={space} colouring={colouring} theme={theme} />, [world, space, colouring, theme]);
  const detail = useMemo(() => <Detail world={world} space={space} block={block} go={go} />, [world, space, block.first, block.length]);
  const lists = useMemo(() => <PoolsAndSix world={world} space={space} />, [world, space]);
  return (
    <>
      <div class="tools">
        <label class="grow">
          <span>Search</span>
          <input
            type="search"
            value={text}
            placeholder="10.1.0.0/16, account, VPC id, name, tag"
            onInput={(event) => move(place, { q: event.currentTarget.value }, false)}
            onKeyDown={(event) => event.key === "Enter" && goToFirst()}
          />
        </label>
        {world.report.spaces.length > 1 && (
          <label>
            <span>Space</span>
            <select value={world.report.spaces[space]?.name} onChange={(event) => move(place, { space: event.currentTarget.value, at: null, vpc: null })}>
              {world.report.spaces.map((one) => <option value={one.name}>{one.name}</option>)}
            </select>
          </label>
        )}
        <label>
          <span>Colour by</span>
          <select value={colouring} onChange={(event) => move(place, { colour: event.currentTarget.value }, false)}>
            {Object.entries(COLOURINGS).map(([key, title]) => <option value={key}>{title}</option>)}
          </select>
        </label>
      </div>
      <p class="aloud" role="status">{found ? `${found.length} VPCs found` : ""}</p>
      {found && <Found found={found} text={text} go={go} showVpc={(one) => showVpc(one, place, view.current)} />}
      {claims.length === 0 && <p class="empty">{emptyWords(world.vpcs)}</p>}
      <div class="ranges" role="group" aria-label="Go to a range">
        {[...RANGES, EVERYTHING].map((range) => (
          <button type="button" onClick={() => go(range, true)}>{range.length ? formatBlock(range) : "all of IPv4"}</button>
        ))}
        <span class="spring" />
        <button type="button" onClick={() => view.current?.zoomBy(2)} aria-label="Zoom in">+</button>
        <button type="button" onClick={() => view.current?.zoomBy(0.5)} aria-label="Zoom out">−</button>
      </div>
      <nav class="crumbs" aria-label="Blocks around the chosen one">
        <ol>
          {breadcrumb(block).map((one, at, all) => (
            <li><button type="button" class="link" aria-current={at === all.length - 1 ? "location" : undefined} onClick={() => go(one, true)}>{one.length ? formatBlock(one) : "all"}</button></li>
          ))}
        </ol>
      </nav>
      <div class="map">
        <div class="drawing">
          <canvas
            ref={canvas}
            tabIndex={0}
            role="application"
            aria-roledescription="address map"
            aria-label={`Address map. ${formatBlock(block)}: ${inside} VPC blocks.`}
            aria-describedby="map-keys"
            onKeyDown={onKey}
          />
          <p id="map-keys" class="keys">Arrows move, Enter goes in, Escape goes out, + and − zoom, Home shows all VPCs. Wheel and drag work too.</p>
          {legend}
        </div>
        <aside class="side" aria-label="The chosen block">
          <p class="aloud" role="status">{`${formatBlock(block)}: ${inside} VPC blocks`}</p>
          {vpc && vpc.cidrs.length === 0 && <VpcDetail vpc={vpc} />}
          {detail}
        </aside>
      </div>
      {hover && <Tip hover={hover} world={world} space={space} />}
      {lists}
    </>
  );
}

interface Keyed {
  readonly to?: Block;
  readonly fly?: Block;
  readonly factor?: number;
}

function keyed(key: string, block: Block, home: Block, view: MapView | null, isTaken: (block: Block) => boolean): Keyed | null {
  const sides: Record<string, readonly [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const side = sides[key];
  if (side) {
    const to = view?.next(block, ...side);
    return to ? { to } : {};
  }
  switch (key) {
    case "Enter": {
      const inner = blockAt(block.first, Math.min(32, 4 * Math.floor(block.length / 4) + 4));
      const first = [...Array(16).keys()].map((at) => ({ first: inner.first + at * 2 ** (32 - inner.length), length: inner.length })).find((one) => one.first < block.first + 2 ** (32 - block.length) && isTaken(one));
      return { to: first ?? inner, fly: block };
    }
    case "Escape": {
      const outer = blockAt(block.first, Math.max(0, 4 * Math.ceil(block.length / 4) - 4));
      return { to: outer, fly: blockAt(block.first, Math.max(0, outer.length - 4)) };
    }
    case "Home":
      return { to: home, fly: home };
    case "+":
      return { factor: 2 };
    case "-":
      return { factor: 0.5 };
    default:
      return null;
  }
}

function showVpc(vpc: Vpc, place: PageProps["place"], view: MapView | null): void {
  const block = parseBlock(vpc.cidrs[0] ?? "");
  move(place, { vpc: vpc.id, at: null });
  if (block) view?.flyTo(surroundings(block));
}

function emptyWords(vpcs: readonly Vpc[]) {
  if (!vpcs.length) return "No VPC is known: there is nothing on the map yet.";
  return <>No VPC of this space has an IPv4 block: the map shows IPv4, <Words text="and IPv6 blocks are listed beneath it." /></>;
}
