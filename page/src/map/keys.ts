/** The keys of the map. */

import { blockAt, type Block } from "../addresses";
import type { MapView } from "./view";

export interface Keyed {
  readonly to?: Block;
  readonly fly?: Block;
  readonly factor?: number;
}

/** Return where a key leads from a block; null for a key that the map does not use. */
export function keyed(
  event: KeyboardEvent,
  block: Block,
  home: Block,
  view: MapView | null,
  isTaken: (block: Block) => boolean,
): Keyed | null {
  const sides: Record<string, readonly [number, number]> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  };
  // The browser uses Alt with arrows to go back, and Ctrl with + to zoom.
  if (event.altKey || event.ctrlKey || event.metaKey) return null;
  const side = sides[event.key];
  if (side) {
    const to = view?.next(block, ...side);
    return to ? { to } : {};
  }
  switch (event.key) {
    case "Enter": {
      const inner = blockAt(block.first, Math.min(32, 4 * Math.floor(block.length / 4) + 4));
      const first = [...Array(16).keys()]
        .map((at) => ({ first: inner.first + at * 2 ** (32 - inner.length), length: inner.length }))
        .find((cell) => cell.first < block.first + 2 ** (32 - block.length) && isTaken(cell));
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
