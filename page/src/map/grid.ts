/** The cells that the map is ruled into: lines, and names where no VPC has one. */

import { contains, formatBlock, overlaps, type Block } from "../addresses";
import type { Theme } from "./colours";
import { blockAtPoint, rectOf } from "./layout";
import { FONT } from "./pen";
import { hasName, onScreen, type Frame, type Scene } from "./scene";
import { claimsInside, RANGES } from "./space";

/** Lines around the blocks of 4, 8, 12 … bits that are at least so wide. */
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

/** The cells of that length that are in sight. */
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

/** The names of the cells, of the largest that there are several of in sight, but not of those that a VPC names. */
export function paintGridNames(to: CanvasRenderingContext2D, scene: Scene, frame: Frame): void {
  const lengths = [4, 8, 12, 16, 20, 24, 28];
  const length = lengths.find((one) => cellsOf(frame, one).w < frame.width * 0.45);
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
