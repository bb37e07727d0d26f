/** Outlines, hatches and text on the canvas. */

import type { Theme } from "./colours";
import type { Rect } from "./layout";
import type { Frame } from "./scene";

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const patterns = new Map<string, CanvasPattern | null>();

export function outline(
  to: CanvasRenderingContext2D,
  rect: Rect,
  colour: string,
  width: number,
  dashes: number[] = [],
): void {
  to.strokeStyle = colour;
  to.lineWidth = width;
  to.setLineDash(dashes);
  to.strokeRect(rect.x + width / 2, rect.y + width / 2, Math.max(rect.w - width, 0.5), Math.max(rect.h - width, 0.5));
  to.setLineDash([]);
}

/** Write the first text that fits, or else a cut one, at the corner of the visible part of the block. */
export function chip(
  to: CanvasRenderingContext2D,
  theme: Theme,
  rect: Rect,
  words: readonly string[],
  frame: Frame,
): void {
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

/** Return the first text that fits, the last also in a small font, and set the font; empty if none fits. */
export function fitting(to: CanvasRenderingContext2D, words: readonly string[], room: number): string {
  for (const [font, tried] of [
    [`600 11px ${FONT}`, words],
    [`10px ${FONT}`, words.slice(-1)],
  ] as const) {
    to.font = font;
    const found = tried.find((word) => to.measureText(word).width <= room);
    if (found) return found;
  }
  return "";
}

export function write(to: CanvasRenderingContext2D, text: string, x: number, y: number, room: number): void {
  to.fillText(cut(to, text, room), x, y);
}

function cut(to: CanvasRenderingContext2D, text: string, room: number): string {
  const short = text.slice(0, 80);
  if (to.measureText(short).width <= room) return short;
  let end = Math.floor((short.length * room) / to.measureText(short).width);
  while (end > 0 && to.measureText(`${short.slice(0, end)}…`).width > room) end--;
  return end > 0 ? `${short.slice(0, end)}…` : "";
}

export function patternOf(to: CanvasRenderingContext2D, colour: string, kind: "hatch" | "dots"): CanvasPattern | null {
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
