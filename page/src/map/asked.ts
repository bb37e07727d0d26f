/** What the address asks the map for. */

import { parseBlock, type Block } from "../addresses";
import type { Place } from "../route";
import type { Vpc, World } from "../world";
import { COLOURINGS, type Colouring } from "./colours";

export interface Asked {
  readonly vpc: Vpc | null;
  readonly space: number;
  readonly colouring: Colouring;
  /** Null where the address names none. */
  readonly block: Block | null;
  readonly text: string;
}

export function askedOf(world: World, { about }: Place): Asked {
  const vpc = world.vpcs.find((one) => one.id === about.get("vpc")) ?? null;
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
  const found = world.report.spaces.findIndex((one) => one.name === name);
  return found < 0 ? null : found;
}

function largestSpace(world: World): number {
  return world.claims.reduce((best, some, at, all) => (some.length > all[best]!.length ? at : best), 0);
}
