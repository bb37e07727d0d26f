/** The grid of the map: lines, and names of cells without a named VPC. */

import { contains, formatBlock, overlaps, type Block } from "../addresses";
import type { Theme } from "./colours";
import { blockAtPoint, rectOf } from "./layout";
import { FONT } from "./pen";
import { hasName, onScreen, type Frame, type Scene } from "./scene";
import { claimsInside, RANGES } from "./space";

/** Draw lines around the blocks with prefix lengths 4, 8, 12, … that are at least `least` pixels wide. */
export function paintGrid(to: CanvasRenderingContext2D, theme: Theme, frame: Frame, least: number): void {
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

/** Return the visible cells of that prefix length. */
function cellsOf(frame: Frame, length: number) {
  const number = 4 ** (length / 4);
  const [w, h] = [(frame.width * frame.k) / number, (frame.height * frame.k) / number];
  return {
    w,
    h,
    left: Math.max(0, Math.floor(-frame.x / w)),
    top: Math.max(0, Math.floor(-frame.y / h)),
    right: Math.min(number, Math.ceil((frame.width - frame.x) / w)),
    bottom: Math.min(number, Math.ceil((frame.height - frame.y) / h)),
  };
}

/** Draw the names of the largest cells of which several are visible, except cells in which a VPC is named. */
export function paintGridNames(to: CanvasRenderingContext2D, scene: Scene, frame: Frame): void {
  const lengths = [4, 8, 12, 16, 20, 24, 28];
  const length = lengths.find((candidate) => cellsOf(frame, candidate).w < frame.width * 0.45);
  if (length === undefined) return;
  const { w, h, left, top, right, bottom } = cellsOf(frame, length);
  if (w < 86 || h < 34) return;
  const claims = scene.world.claims[scene.space] ?? [];
  const large = claims.filter((claim) => claim.length <= length);
  const isNamed = (block: Block) =>
    claimsInside(claims, block).some((claim) => hasName(onScreen(rectOf(claim), frame)));
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
