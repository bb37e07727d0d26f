/** The colours of the map. */

import { scaleSequential } from "d3-scale";
import { interpolateYlGnBu } from "d3-scale-chromatic";
import type { Vpc, World } from "../world";

export const COLOURINGS = { account: "account", unit: "unit", used: "addresses in use" } as const;
export type Colouring = keyof typeof COLOURINGS;

export interface Theme {
  readonly isDark: boolean;
  readonly ground: string;
  /** Addresses outside the private ranges. */
  readonly outside: string;
  readonly line: string;
  readonly strong: string;
  readonly text: string;
  readonly muted: string;
  readonly pool: string;
  readonly poolLine: string;
  readonly reserved: string;
  readonly clash: string;
  readonly cursor: string;
  readonly unknown: string;
  /** VPCs that do not match the search. */
  readonly dim: string;
}

export const LIGHT: Theme = {
  isDark: false,
  ground: "#ffffff",
  outside: "#edf0f3",
  line: "#e6eaef",
  strong: "#c3cbd5",
  text: "#18212c",
  muted: "#5c6979",
  pool: "#eef6ee",
  poolLine: "#2f7d4f",
  reserved: "#7a6a1f",
  clash: "#b3130b",
  cursor: "#0b4f94",
  unknown: "#cfd6de",
  dim: "#e4e8ed",
};

export const DARK: Theme = {
  isDark: true,
  ground: "#141a21",
  outside: "#0c1015",
  line: "#232c37",
  strong: "#3b4757",
  text: "#eef2f7",
  muted: "#94a3b5",
  pool: "#15261e",
  poolLine: "#5fbf8a",
  reserved: "#d8c25a",
  clash: "#ff7468",
  cursor: "#8ec7ff",
  unknown: "#3a4552",
  dim: "#242d38",
};

const heat = scaleSequential(interpolateYlGnBu).domain([-0.05, 1.15]);
/** Cached: computing a colour, and parsing a new one in the canvas, is slow. */
const hues = new Map<number, string>();
const heats = Array.from({ length: 101 }, (_, percent) => heat(percent / 100));

/** Return the colour of a VPC. Neighbouring numbers get very different colours. */
export function colourOf(vpc: Vpc, world: World, colouring: Colouring, theme: Theme): string {
  if (colouring === "used") return vpc.used === null ? theme.unknown : heatOf(vpc.used);
  return hueOf(colouring === "account" ? vpc.owner : (world.unitOf[vpc.owner] ?? 0), theme);
}

export function hueOf(number: number, theme: Theme): string {
  const key = theme.isDark ? -1 - number : number;
  const known = hues.get(key);
  if (known !== undefined) return known;
  const hue = Math.round((200 + number * 137.508) % 360);
  const step = Math.floor(number / 12) % 3;
  const made = theme.isDark
    ? `hsl(${hue} ${38 - step * 6}% ${34 + step * 5}%)`
    : `hsl(${hue} ${58 - step * 10}% ${76 - step * 6}%)`;
  hues.set(key, made);
  return made;
}

export function heatOf(share: number): string {
  return heats[Math.round(share * 100)]!;
}

/** Return the text colour that is readable on the colour of a VPC. */
export function inkOn(vpc: Vpc, colouring: Colouring, theme: Theme): string {
  if (colouring !== "used" || vpc.used === null) return theme.text;
  return vpc.used > 0.5 ? "#ffffff" : "#18212c";
}
