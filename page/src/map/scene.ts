/** What to draw, and its position on the canvas. */

import type { Block } from "../addresses";
import type { World } from "../world";
import type { Colouring, Theme } from "./colours";
import type { Rect } from "./layout";

export interface Scene {
  readonly world: World;
  readonly space: number;
  readonly colouring: Colouring;
  readonly theme: Theme;
  /** The VPCs that match the search; null without a search. */
  readonly found: ReadonlySet<number> | null;
  readonly cursor: Block | null;
}

/** The position of the square of all addresses on the canvas. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly k: number;
  readonly x: number;
  readonly y: number;
}

export function onScreen(rect: Rect, frame: Frame): Rect {
  const [sx, sy] = [frame.width * frame.k, frame.height * frame.k];
  return { x: rect.x * sx + frame.x, y: rect.y * sy + frame.y, w: rect.w * sx, h: rect.h * sy };
}

export function isInSight(rect: Rect, frame: Frame): boolean {
  return rect.x < frame.width && rect.y < frame.height && rect.x + rect.w > 0 && rect.y + rect.h > 0;
}

/** Whether a VPC's block is large enough for a name. */
export function hasName(rect: Rect): boolean {
  return rect.w > 58 && rect.h > 15;
}
