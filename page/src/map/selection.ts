/** What the page's address selects on the map. */

import { parseBlock, type Block } from "../addresses";
import type { Place } from "../route";
import type { Vpc, World } from "../world";
import { COLOURINGS, type Colouring } from "./colours";

export interface Selection {
  readonly vpc: Vpc | null;
  readonly space: number;
  readonly colouring: Colouring;
  /** Null if the address names no block. */
  readonly block: Block | null;
  readonly text: string;
}

export function selectionOf(world: World, { about }: Place): Selection {
  const vpc = world.vpcs.find((candidate) => candidate.id === about.get("vpc")) ?? null;
  const colour = about.get("colour") ?? "";
  return {
    vpc,
    space: vpc?.space ?? spaceNamed(world, about.get("space")) ?? largestSpace(world),
    colouring: Object.hasOwn(COLOURINGS, colour) ? (colour as Colouring) : "account",
    block: parseBlock(about.get("at") ?? vpc?.cidrs[0] ?? ""),
    text: about.get("q") ?? "",
  };
}

function spaceNamed(world: World, name: string | null): number | null {
  const found = world.report.spaces.findIndex((space) => space.name === name);
  return found < 0 ? null : found;
}

function largestSpace(world: World): number {
  return world.claims.reduce((best, some, at, all) => (some.length > all[best]!.length ? at : best), 0);
}
