/** Drawing the map: only what is in sight, outer blocks first. */

import { blockAt, contains, formatBlock, overlaps, parseBlock, shortBlock, type Block } from "../addresses";
import type { Claim, World } from "../world";
import { colourOf, inkOn, type Colouring, type Theme } from "./colours";
import { blockAtPoint, rectOf, type Rect } from "./layout";
import { claimsInside, RANGES } from "./space";

export interface Scene {
  readonly world: World;
  readonly space: number;
  readonly colouring: Colouring;
  readonly theme: Theme;
  /** The VPCs that a search found; null without one. */
  readonly found: ReadonlySet<number> | null;
  readonly cursor: Block | null;
}

/** How the square of all addresses lies on the canvas. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly k: number;
  readonly x: number;
  readonly y: number;
}

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const rects = new WeakMap<readonly Claim[], Rect[]>();
const patterns = new Map<string, CanvasPattern | null>();

export function paint(to: CanvasRenderingContext2D, scene: Scene, frame: Frame): void {
  const { theme } = scene;
  to.fillStyle = theme.outside;
  to.fillRect(0, 0, frame.width, frame.height);
  to.fillStyle = theme.ground;
  for (const range of RANGES) {
    const rect = onScreen(rectOf(range), frame);
    to.fillRect(rect.x, rect.y, rect.w, rect.h);
  }
  to.textBaseline = "alphabetic";
  paintPools(to, scene, frame);
  paintGrid(to, theme, frame, 22);
  const labels: (() => void)[] = [];
  paintClaims(to, scene, frame, labels);
  to.globalAlpha = 0.55;
  paintGrid(to, theme, frame, 180);
  to.globalAlpha = 1;
  paintReservations(to, scene, frame);
  paintGridNames(to, scene, frame);
  for (const label of labels) label();
  if (scene.cursor) paintCursor(to, onScreen(rectOf(scene.cursor), frame), theme);
}

export function onScreen(rect: Rect, frame: Frame): Rect {
  const [sx, sy] = [frame.width * frame.k, frame.height * frame.k];
  return { x: rect.x * sx + frame.x, y: rect.y * sy + frame.y, w: rect.w * sx, h: rect.h * sy };
}

function isInSight(rect: Rect, frame: Frame): boolean {
  return rect.x < frame.width && rect.y < frame.height && rect.x + rect.w > 0 && rect.y + rect.h > 0;
}

/** Lines around the blocks of 4, 8, 12 … bits that are at least so wide. */
function paintGrid(to: CanvasRenderingContext2D, theme: Theme, frame: Frame, least: number): void {
  for (let length = 28; length >= 4; length -= 4) {
    const { w, h, left, top, right, bottom } = cellsOf(frame, length);
    if (w < least || h < 14) continue;
    to.strokeStyle = w > 180 ? theme.strong : theme.line;
    to.lineWidth = 1;
    to.beginPath();
    for (let column = left; column <= right; column++) {
      const x = Math.round(column * w + frame.x) + 0.5;
      to.moveTo(x, Math.max(0, frame.y));
      to.lineTo(x, Math.min(frame.height, frame.y + frame.height * frame.k));
    }
    for (let row = top; row <= bottom; row++) {
      const y = Math.round(row * h + frame.y) + 0.5;
      to.moveTo(Math.max(0, frame.x), y);
      to.lineTo(Math.min(frame.width, frame.x + frame.width * frame.k), y);
    }
    to.stroke();
  }
}

/** The cells of that length that are in sight. */
function cellsOf(frame: Frame, length: number) {
  const number = 4 ** (length / 4);
  const [w, h] = [(frame.width * frame.k) / number, (frame.height * frame.k) / number];
  return {
    w, h, left: Math.max(0, Math.floor(-frame.x / w)), top: Math.max(0, Math.floor(-frame.y / h)),
    right: Math.min(number, Math.ceil((frame.width - frame.x) / w)), bottom: Math.min(number, Math.ceil((frame.height - frame.y) / h)),
  };
}

/** The names of the cells, of the largest that there are several of in sight, but not of those that a VPC names. */
function paintGridNames(to: CanvasRenderingContext2D, scene: Scene, frame: Frame): void {
  const lengths = [4, 8, 12, 16, 20, 24, 28];
  const length = lengths.find((one) => cellsOf(frame, one).w < frame.width * 0.45);
  if (length === undefined) return;
  const { w, h, left, top, right, bottom } = cellsOf(frame, length);
  if (w < 86 || h < 34) return;
  const claims = scene.world.claims[scene.space] ?? [];
  const large = claims.filter((claim) => claim.length <= length);
  const isNamed = (block: Block) => claimsInside(claims, block).some((claim) => hasName(onScreen(rectOf(claim), frame)));
  to.font = `11px ${FONT}`;
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const block = blockAtPoint((column + 0.5) / 4 ** (length / 4), (row + 0.5) / 4 ** (length / 4), length);
      if (!block || large.some((claim) => contains(claim, block)) || isNamed(block)) continue;
      if (block.length > 8 && !RANGES.some((range) => overlaps(range, block))) continue;
      const words = formatBlock(block);
      const [x, y] = [column * w + frame.x + 4, row * h + frame.y + h - 19];
      to.fillStyle = scene.theme.ground;
      to.globalAlpha = 0.8;
      to.fillRect(x, y, to.measureText(words).width + 6, 15);
      to.globalAlpha = 1;
      to.fillStyle = scene.theme.muted;
      to.fillText(words, x + 3, y + 11);
    }
  }
}

function paintPools(to: CanvasRenderingContext2D, scene: Scene, frame: Frame): void {
  for (const pool of scene.world.pools[scene.space] ?? []) {
    const rect = onScreen(rectOf(pool.block), frame);
    if (!isInSight(rect, frame)) continue;
    to.fillStyle = scene.theme.pool;
    to.fillRect(rect.x, rect.y, rect.w, rect.h);
  }
}

function paintReservations(to: CanvasRenderingContext2D, scene: Scene, frame: Frame): void {
  const { theme } = scene;
  for (const pool of scene.world.pools[scene.space] ?? []) {
    for (const one of pool.reservations) {
      const block = one.state === "reserved" || one.state === "over" || one.state === "elsewhere" ? parseBlock(one.cidr) : null;
      const rect = block && onScreen(rectOf(block), frame);
      if (!rect || !isInSight(rect, frame)) continue;
      to.fillStyle = patternOf(to, theme.reserved, "dots") ?? theme.reserved;
      to.fillRect(rect.x, rect.y, Math.max(rect.w, 1), Math.max(rect.h, 1));
      outline(to, rect, theme.reserved, 1.5, [2, 2]);
      if (rect.w > 110 && rect.h > 18) chip(to, theme, rect, [`${one.cidr} reserved ${one.for}`, `${one.cidr} reserved`], frame);
    }
    const rect = onScreen(rectOf(pool.block), frame);
    if (!isInSight(rect, frame) || rect.w < 3) continue;
    outline(to, rect, theme.poolLine, 2, [7, 4]);
  }
}

function paintClaims(to: CanvasRenderingContext2D, scene: Scene, frame: Frame, labels: (() => void)[]): void {
  const claims = scene.world.claims[scene.space] ?? [];
  const places = rects.get(claims) ?? claims.map(rectOf);
  rects.set(claims, places);
  for (let at = 0; at < claims.length; at++) {
    const rect = onScreen(places[at]!, frame);
    if (!isInSight(rect, frame)) continue;
    let [twins, shown] = [1, claims[at]!];
    // Of VPCs with the same block one is drawn: of those that a search found, if there are any.
    for (; claims[at + 1]?.first === shown.first && claims[at + 1]?.length === shown.length; at++, twins++) {
      if (scene.found?.has(claims[at + 1]!.vpc.index)) shown = claims[at + 1]!;
    }
    const next = claims[at + 1];
    const inner = next && contains(shown, next) ? onScreen(places[at + 1]!, frame) : null;
    paintClaim(to, scene, frame, { claim: shown, twins, inner, rect }, labels);
  }
}

/** What is drawn of a block. */
interface Drawn {
  readonly claim: Claim;
  /** How many VPCs have exactly this block. */
  readonly twins: number;
  /** Where the first one inside it is. */
  readonly inner: Rect | null;
  readonly rect: Rect;
}

function paintClaim(to: CanvasRenderingContext2D, scene: Scene, frame: Frame, drawn: Drawn, labels: (() => void)[]): void {
  const { claim, rect } = drawn;
  const { theme, found } = scene;
  const gap = rect.w > 6 && rect.h > 6 ? 1 : 0;
  const [w, h] = [Math.max(rect.w - gap, 1), Math.max(rect.h - gap, 1)];
  const isDim = found !== null && !found.has(claim.vpc.index);
  to.fillStyle = isDim ? theme.dim : colourOf(claim.vpc, scene.world, scene.colouring, theme);
  to.fillRect(rect.x, rect.y, w, h);
  // Most of ten thousand blocks are a few pixels wide: those get this far and no further.
  if (isDim) return;
  if (w > 90 && h > 50) paintSubnets(to, scene, frame, claim, labels);
  if (claim.clash) {
    const isOnPurpose = claim.clash === "repeated";
    to.fillStyle = patternOf(to, isOnPurpose ? theme.muted : theme.clash, "hatch") ?? theme.clash;
    to.fillRect(rect.x, rect.y, w, h);
    if (w > 5 && !isOnPurpose) outline(to, { ...rect, w, h }, theme.clash, w > 40 ? 2.5 : 1.5);
  }
  if (claim.vpc.stale !== null && w > 16) outline(to, { ...rect, w, h }, theme.muted, 1.5, [3, 3]);
  if (found !== null && w > 24) outline(to, { ...rect, w, h }, theme.text, 1.5);
  if (hasName({ ...rect, w, h })) labels.push(() => nameClaim(to, scene, frame, { ...drawn, rect: { ...rect, w, h } }));
}

function hasName(rect: Rect): boolean {
  return rect.w > 58 && rect.h > 15;
}

function nameClaim(to: CanvasRenderingContext2D, scene: Scene, frame: Frame, { claim, twins, inner, rect }: Drawn): void {
  const { theme } = scene;
  const who = twins > 1 ? `${twins} VPCs` : claim.vpc.name || (claim.vpc.isDefault ? "default VPC" : claim.vpc.account.name || claim.vpc.id);
  const isLarge = rect.w > 90 && rect.h > 50;
  // A name must not hide the overlap that it stands on.
  if (inner && rect.h < 50 && inner.y < rect.y + 17 && inner.x < rect.x + 60) return;
  if (claim.clash || inner || isLarge) {
    return chip(to, theme, rect, rect.w > 150 ? [`${claim.text} ${who}`, claim.text] : [claim.text, shortBlock(claim)], frame);
  }
  to.fillStyle = inkOn(claim.vpc, scene.colouring, theme);
  const name = fitting(to, [claim.text, shortBlock(claim)], rect.w - 6);
  if (name) to.fillText(name, rect.x + 4, rect.y + 12);
  if (rect.h < 30) return;
  to.font = `11px ${FONT}`;
  write(to, who, rect.x + 4, rect.y + 25, rect.w - 6);
}

function paintSubnets(
  to: CanvasRenderingContext2D, scene: Scene, frame: Frame, claim: Claim, labels: (() => void)[],
): void {
  const { theme } = scene;
  const underChip = Math.max(onScreen(rectOf(claim), frame).y, 0) + 20;
  for (const subnet of claim.vpc.subnets) {
    const block = parseBlock(subnet.cidr);
    if (!block || blockAt(block.first, claim.length).first !== claim.first) continue;
    const rect = onScreen(rectOf(block), frame);
    if (!isInSight(rect, frame) || rect.w < 3) continue;
    to.fillStyle = theme.isDark ? "rgb(0 0 0 / 28%)" : "rgb(255 255 255 / 55%)";
    to.fillRect(rect.x + 1.5, rect.y + 1.5, Math.max(rect.w - 4, 1), Math.max(rect.h - 4, 1));
    outline(to, { x: rect.x + 1.5, y: rect.y + 1.5, w: rect.w - 4, h: rect.h - 4 }, theme.muted, 0.75);
    const isTall = rect.h > 46;
    if (rect.w < 84 || rect.h < 20 || rect.y + rect.h - (isTall ? 34 : 20) < underChip) continue;
    labels.push(() => {
      if (claim.clash) {
        to.fillStyle = theme.ground;
        to.fillRect(rect.x + 4, rect.y + rect.h - (isTall ? 32 : 19), Math.min(rect.w - 8, 118), isTall ? 29 : 15);
      }
      to.fillStyle = theme.text;
      to.font = `11px ${FONT}`;
      write(to, subnet.cidr, rect.x + 6, rect.y + rect.h - (isTall ? 20 : 8), rect.w - 10);
      if (isTall) {
        to.fillStyle = theme.isDark ? theme.text : theme.muted;
        const free = subnet.free === null ? "" : `, ${subnet.free.toLocaleString("en")} free`;
        write(to, `${subnet.zone}${free}`, rect.x + 6, rect.y + rect.h - 7, rect.w - 10);
      }
    });
  }
}

function paintCursor(to: CanvasRenderingContext2D, rect: Rect, theme: Theme): void {
  const least = { x: rect.x - 1, y: rect.y - 1, w: Math.max(rect.w, 4) + 1, h: Math.max(rect.h, 4) + 1 };
  outline(to, least, theme.ground, 5);
  outline(to, least, theme.cursor, 2.5);
}

function outline(to: CanvasRenderingContext2D, rect: Rect, colour: string, width: number, dashes: number[] = []): void {
  to.strokeStyle = colour;
  to.lineWidth = width;
  to.setLineDash(dashes);
  to.strokeRect(rect.x + width / 2, rect.y + width / 2, Math.max(rect.w - width, 0.5), Math.max(rect.h - width, 0.5));
  to.setLineDash([]);
}

/** The first of these words that fits, else as much of it as does, at the corner of what is in sight of the block. */
function chip(to: CanvasRenderingContext2D, theme: Theme, rect: Rect, words: readonly string[], frame: Frame): void {
  const [x, y] = [Math.max(rect.x, 0) + 2, Math.max(rect.y, 0) + 2];
  const room = Math.min(rect.x + rect.w, frame.width) - x - 8;
  if (room < 22 || rect.y + rect.h - y < 15) return;
  const text = fitting(to, words, room) || (room > 120 ? cut(to, words[0]!, room) : "");
  if (!text) return;
  to.fillStyle = theme.ground;
  to.globalAlpha = 0.88;
  to.fillRect(x, y, to.measureText(text).width + 6, 15);
  to.globalAlpha = 1;
  to.fillStyle = theme.text;
  to.fillText(text, x + 3, y + 11);
}

/** The first that fits, the last of them in small type too, with the type set; empty where none does. */
function fitting(to: CanvasRenderingContext2D, words: readonly string[], room: number): string {
  for (const [font, tried] of [[`600 11px ${FONT}`, words], [`10px ${FONT}`, words.slice(-1)]] as const) {
    to.font = font;
    const found = tried.find((one) => to.measureText(one).width <= room);
    if (found) return found;
  }
  return "";
}

function write(to: CanvasRenderingContext2D, text: string, x: number, y: number, room: number): void {
  to.fillText(cut(to, text, room), x, y);
}

function cut(to: CanvasRenderingContext2D, text: string, room: number): string {
  const short = text.slice(0, 80);
  if (to.measureText(short).width <= room) return short;
  let end = Math.floor((short.length * room) / to.measureText(short).width);
  while (end > 0 && to.measureText(`${short.slice(0, end)}…`).width > room) end--;
  return end > 0 ? `${short.slice(0, end)}…` : "";
}

function patternOf(to: CanvasRenderingContext2D, colour: string, kind: "hatch" | "dots"): CanvasPattern | null {
  const key = `${kind} ${colour}`;
  const known = patterns.get(key);
  if (known !== undefined) return known;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const on = tile.getContext("2d");
  if (!on) return null;
  on.strokeStyle = on.fillStyle = colour;
  if (kind === "dots") {
    on.fillRect(1, 1, 2, 2);
    on.fillRect(5, 5, 2, 2);
  } else {
    on.lineWidth = 1.6;
    for (const at of [-8, 0, 8]) {
      on.beginPath();
      on.moveTo(at, 8);
      on.lineTo(at + 8, 0);
      on.stroke();
    }
  }
  const pattern = to.createPattern(tile, "repeat");
  patterns.set(key, pattern);
  return pattern;
}
