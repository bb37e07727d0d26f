/**
 * The layout of the map. Four bits of an address select a cell in a grid of four rows of four, in reading order, and
 * each cell contains the next four bits in the same way: every block is one rectangle inside the blocks that contain it.
 */

import { blockAt, type Block } from "../addresses";

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Return the rectangle of a block, where all of IPv4 is the square from 0 to 1. */
export function rectOf(block: Block): Rect {
  let [x, y, side] = [0, 0, 1];
  const levels = Math.floor(block.length / 4);
  for (let level = 0; level < levels; level++) {
    const nibble = nibbleAt(block.first, level);
    side /= 4;
    x += (nibble & 3) * side;
    y += (nibble >> 2) * side;
  }
  const nibble = levels < 8 ? nibbleAt(block.first, levels) : 0;
  const row = (nibble >> 2) * (side / 4);
  switch (block.length % 4) {
    case 1:
      return { x, y: y + row, w: side, h: side / 2 };
    case 2:
      return { x, y: y + row, w: side, h: side / 4 };
    case 3:
      return { x: x + (nibble & 2) * (side / 4), y: y + row, w: side / 2, h: side / 4 };
    default:
      return { x, y, w: side, h: side };
  }
}

/** Return the block of that prefix length at a point of the square; null outside the square. */
export function blockAtPoint(x: number, y: number, length: number): Block | null {
  if (x < 0 || y < 0 || x >= 1 || y >= 1) return null;
  let address = 0;
  let [left, top] = [x, y];
  for (let level = 0; level < 8; level++) {
    left *= 4;
    top *= 4;
    const [column, row] = [Math.floor(left), Math.floor(top)];
    address = address * 16 + row * 4 + column;
    left -= column;
    top -= row;
  }
  return blockAt(address, length);
}

function nibbleAt(address: number, level: number): number {
  return Math.floor(address / 2 ** (28 - 4 * level)) & 15;
}
