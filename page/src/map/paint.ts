/** Drawing the map: only what is in sight, outer blocks first. */

import { blockAt, formatBlock, type Block } from "../addresses";
import { parseBlock } from "../addresses";
import type { Claim, World } from "../world";
import { colourOf, inkOn, type Colouring, type Theme } from "./colours";
import { blockAtPoint, rectOf, type Rect } from "./layout";

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
  to.fillStyle = theme.ground;
  to.fillRect(0, 0, frame.width, frame.height);
  to.textBaseline = "alphabetic";
  paintPools(to, scene, frame);
  paintGrid(to, theme, frame);
  const labels: (() => void)[] = [];
  paintClaims(to, scene, frame, labels);
  paintReservations(to, scene, frame);
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

/** Lines around the blocks of 4, 8, 12 … bits that are large enough to be told apart, and their names where there is room. */
function paintGrid(to: CanvasRenderingContext2D, theme: Theme, frame: Frame): void {
  for (let length = 28; length >= 4; length -= 4) {
    const side = 4 ** -(length / 4);
    const [w, h] = [side * frame.width * frame.k, side * frame.height * frame.k];
    if (w < 22 || h < 14) continue;
    to.strokeStyle = w > 180 ? theme.strong : theme.line;
    to.lineWidth = 1;
    to.beginPath();
    for (let x = frame.x + Math.max(0, Math.floor(-frame.x / w)) * w; x <= Math.min(frame.width, frame.x + w / side) + 1; x += w) {
      const at = Math.round(x) + 0.5;
      to.moveTo(at, Math.max(0, frame.y));
      to.lineTo(at, Math.min(frame.height, frame.y + h / side));
    }
    for (let y = frame.y + Math.max(0, Math.floor(-frame.y / h)) * h; y <= Math.min(frame.height, frame.y + h / side) + 1; y += h) {
      const at = Math.round(y) + 0.5;
      to.moveTo(Math.max(0, frame.x), at);
      to.lineTo(Math.min(frame.width, frame.x + w / side), at);
    }
    to.stroke();
    if (w >= 86 && h >= 34 && w < 700) paintGridNames(to, theme, frame, length, w, h);
  }
}

function paintGridNames(to: CanvasRenderingContext2D, theme: Theme, frame: Frame, length: number, w: number, h: number): void {
  to.font = `11px ${FONT}`;
  to.fillStyle = theme.muted;
  const [sx, sy] = [frame.width * frame.k, frame.height * frame.k];
  for (let y = Math.max(0, Math.floor(-frame.y / h)); y * h + frame.y < frame.height; y++) {
    for (let x = Math.max(0, Math.floor(-frame.x / w)); x * w + frame.x < frame.width; x++) {
      const block = blockAtPoint(((x + 0.5) * w) / sx, ((y + 0.5) * h) / sy, length);
      if (block) to.fillText(formatBlock(block), x * w + frame.x + 5, y * h + frame.y + h - 6);
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
      if (rect.w > 110 && rect.h > 18) chip(to, theme, rect, `${one.cidr} reserved ${one.for}`, frame);
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
    paintClaim(to, scene, frame, claims[at]!, rect, labels);
  }
}

function paintClaim(
  to: CanvasRenderingContext2D, scene: Scene, frame: Frame, claim: Claim, rect: Rect, labels: (() => void)[],
): void {
  const { theme, found } = scene;
  const gap = rect.w > 6 && rect.h > 6 ? 1 : 0;
  const [w, h] = [Math.max(rect.w - gap, 1), Math.max(rect.h - gap, 1)];
  const isDim = found !== null && !found.has(claim.vpc.index);
  to.globalAlpha = isDim ? 0.16 : 1;
  to.fillStyle = colourOf(claim.vpc, scene.world, scene.colouring, theme);
  to.fillRect(rect.x, rect.y, w, h);
  if (w > 90 && h > 50) paintSubnets(to, scene, frame, claim, labels, isDim);
  if (claim.clash) {
    const isOnPurpose = claim.clash === "repeated";
    to.fillStyle = patternOf(to, isOnPurpose ? theme.muted : theme.clash, "hatch") ?? theme.clash;
    to.fillRect(rect.x, rect.y, w, h);
    if (w > 5 && !isOnPurpose) outline(to, { ...rect, w, h }, theme.clash, w > 40 ? 2.5 : 1.5);
  }
  if (found !== null && !isDim && w > 4) outline(to, { ...rect, w, h }, theme.text, 1.5);
  to.globalAlpha = 1;
  if (!isDim && w > 58 && h > 15) labels.push(() => nameClaim(to, scene, frame, claim, { ...rect, w, h }));
}

function nameClaim(to: CanvasRenderingContext2D, scene: Scene, frame: Frame, claim: Claim, rect: Rect): void {
  const { theme } = scene;
  const who = claim.vpc.name || (claim.vpc.isDefault ? "default VPC" : claim.vpc.account.name || claim.vpc.id);
  const hasChip = claim.clash !== "" || (rect.w > 90 && rect.h > 50);
  if (hasChip) return chip(to, theme, rect, rect.w > 150 ? `${claim.text} ${who}` : claim.text, frame);
  to.fillStyle = inkOn(claim.vpc, scene.colouring, theme);
  to.font = `600 11px ${FONT}`;
  write(to, claim.text, rect.x + 4, rect.y + 12, rect.w - 6);
  if (rect.h < 30) return;
  to.font = `11px ${FONT}`;
  write(to, who, rect.x + 4, rect.y + 25, rect.w - 6);
}

function paintSubnets(
  to: CanvasRenderingContext2D, scene: Scene, frame: Frame, claim: Claim, labels: (() => void)[], isDim: boolean,
): void {
  const { theme } = scene;
  for (const subnet of claim.vpc.subnets) {
    const block = parseBlock(subnet.cidr);
    if (!block || blockAt(block.first, claim.length).first !== claim.first) continue;
    const rect = onScreen(rectOf(block), frame);
    if (!isInSight(rect, frame) || rect.w < 3) continue;
    to.fillStyle = theme.isDark ? "rgb(0 0 0 / 28%)" : "rgb(255 255 255 / 55%)";
    to.fillRect(rect.x + 1.5, rect.y + 1.5, Math.max(rect.w - 4, 1), Math.max(rect.h - 4, 1));
    outline(to, { x: rect.x + 1.5, y: rect.y + 1.5, w: rect.w - 4, h: rect.h - 4 }, theme.muted, 0.75);
    if (isDim || rect.w < 84 || rect.h < 32) continue;
    labels.push(() => {
      to.fillStyle = theme.text;
      to.font = `11px ${FONT}`;
      write(to, subnet.cidr, rect.x + 6, rect.y + rect.h - (rect.h > 46 ? 20 : 8), rect.w - 10);
      if (rect.h > 46) {
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

/** Words on a ground of their own, at the corner of what is in sight of the block. */
function chip(to: CanvasRenderingContext2D, theme: Theme, rect: Rect, text: string, frame: Frame): void {
  to.font = `600 11px ${FONT}`;
  const [x, y] = [Math.max(rect.x, 0) + 4, Math.max(rect.y, 0) + 4];
  const room = Math.min(rect.x + rect.w, frame.width) - x - 4;
  if (room < 30 || rect.y + rect.h - y < 15) return;
  const words = cut(to, text, room - 8);
  to.fillStyle = theme.ground;
  to.globalAlpha = 0.88;
  to.fillRect(x, y, to.measureText(words).width + 8, 16);
  to.globalAlpha = 1;
  to.fillStyle = theme.text;
  to.fillText(words, x + 4, y + 12);
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
