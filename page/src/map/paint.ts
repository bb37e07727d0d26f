/** Draw the map: only what is visible, outer blocks first. */

import { blockAt, contains, parseBlock, shortBlock } from "../addresses";
import type { Claim } from "../world";
import { colourOf, inkOn, type Theme } from "./colours";
import { paintGrid, paintGridNames } from "./grid";
import { rectOf, type Rect } from "./layout";
import { chip, fitting, FONT, outline, patternOf, write } from "./pen";
import { hasName, isInSight, onScreen, type Frame, type Scene } from "./scene";
import { RANGES } from "./space";

const rects = new WeakMap<readonly Claim[], Rect[]>();

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
    for (const reservation of pool.reservations) {
      const block = ["reserved", "over", "elsewhere", "conflict"].includes(reservation.state)
        ? parseBlock(reservation.cidr)
        : null;
      const rect = block && onScreen(rectOf(block), frame);
      if (!rect || !isInSight(rect, frame)) continue;
      to.fillStyle = patternOf(to, theme.reserved, "dots") ?? theme.reserved;
      to.fillRect(rect.x, rect.y, Math.max(rect.w, 1), Math.max(rect.h, 1));
      outline(to, rect, theme.reserved, 1.5, [2, 2]);
      if (rect.w > 110 && rect.h > 18)
        chip(
          to,
          theme,
          rect,
          [`${reservation.cidr} reserved ${reservation.for}`, `${reservation.cidr} reserved`],
          frame,
        );
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
    // Of VPCs with the same block only one is drawn: if any of them match the search, one of these.
    for (; claims[at + 1]?.first === shown.first && claims[at + 1]?.length === shown.length; at++, twins++) {
      if (scene.found?.has(claims[at + 1]!.vpc.index)) shown = claims[at + 1]!;
    }
    const next = claims[at + 1];
    const inner = next && contains(shown, next) ? onScreen(places[at + 1]!, frame) : null;
    paintClaim(to, scene, frame, { claim: shown, twins, inner, rect }, labels);
  }
}

/** A block to draw. */
interface Drawn {
  readonly claim: Claim;
  /** How many VPCs have this block. */
  readonly twins: number;
  /** The rectangle of the first block inside it. */
  readonly inner: Rect | null;
  readonly rect: Rect;
}

function paintClaim(
  to: CanvasRenderingContext2D,
  scene: Scene,
  frame: Frame,
  drawn: Drawn,
  labels: (() => void)[],
): void {
  const { claim, rect } = drawn;
  const { theme, found } = scene;
  const gap = rect.w > 6 && rect.h > 6 ? 1 : 0;
  const [w, h] = [Math.max(rect.w - gap, 1), Math.max(rect.h - gap, 1)];
  const isDim = found !== null && !found.has(claim.vpc.index);
  to.fillStyle = isDim ? theme.dim : colourOf(claim.vpc, scene.world, scene.colouring, theme);
  to.fillRect(rect.x, rect.y, w, h);
  // VPCs that do not match the search need no details.
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

function nameClaim(
  to: CanvasRenderingContext2D,
  scene: Scene,
  frame: Frame,
  { claim, twins, inner, rect }: Drawn,
): void {
  const { theme } = scene;
  const who =
    twins > 1
      ? `${twins} VPCs`
      : claim.vpc.name || (claim.vpc.isDefault ? "default VPC" : claim.vpc.account.name || claim.vpc.id);
  const isLarge = rect.w > 90 && rect.h > 50;
  // A name must not hide an overlap.
  if (inner && rect.h < 50 && inner.y < rect.y + 17 && inner.x < rect.x + 60) return;
  if (claim.clash || inner || isLarge) {
    return chip(
      to,
      theme,
      rect,
      rect.w > 150 ? [`${claim.text} ${who}`, claim.text] : [claim.text, shortBlock(claim)],
      frame,
    );
  }
  to.fillStyle = inkOn(claim.vpc, scene.colouring, theme);
  const name = fitting(to, [claim.text, shortBlock(claim)], rect.w - 6);
  if (name) to.fillText(name, rect.x + 4, rect.y + 12);
  if (rect.h < 30) return;
  to.font = `11px ${FONT}`;
  write(to, who, rect.x + 4, rect.y + 25, rect.w - 6);
}

function paintSubnets(
  to: CanvasRenderingContext2D,
  scene: Scene,
  frame: Frame,
  claim: Claim,
  labels: (() => void)[],
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
