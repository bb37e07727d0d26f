/** Text: untrusted names and tags, and the formats of numbers and times. */

import { hashOf } from "../route";
import type { Vpc } from "../world";

const LONGEST = 64;
/** Only words this long may break across lines: a short word in two pieces is hard to read. */
const LONG_WORD = /\S{25}/;
/** In a table, texts up to this length stay on one line. */
const SHORT = 20;

/** A name or a tag. It keeps its own writing direction, and is cut if it is long. */
export function Words({ text, whole = false }: { text: string; whole?: boolean }) {
  const isCut = !whole && text.length > LONGEST;
  return (
    <bdi
      class={`words ${LONG_WORD.test(text) ? "long" : text.length <= SHORT ? "short" : ""}`}
      title={isCut ? text : undefined}
    >
      {isCut ? `${text.slice(0, LONGEST - 1)}…` : text}
    </bdi>
  );
}

export function VpcLink({ vpc }: { vpc: Vpc }) {
  return (
    <a class="id" href={hashOf("map", { vpc: vpc.id })}>
      {vpc.id}
    </a>
  );
}

export function BlockLink({ text, space }: { text: string; space: string }) {
  return (
    <a class="id" href={hashOf("map", { at: text, space })}>
      {text}
    </a>
  );
}

export function formatTime(time: string | null | undefined): string {
  return time ? time.replace("T", " ").replace(/(:\d\d):\d\d(?:\.\d+)?Z$/, "$1 UTC") : "";
}

export function formatDay(time: string): string {
  return time.slice(0, 10);
}

export function formatNumber(number: number): string {
  return number.toLocaleString("en");
}

export function formatShare(share: number): string {
  const percent = share * 100;
  return percent > 0 && percent < 1 ? "under 1 %" : `${Math.round(percent)} %`;
}

export function counted(number: number, noun: string, plural = `${noun}s`): string {
  return `${formatNumber(number)} ${number === 1 ? noun : plural}`;
}

/** Return the age of a time when the report was created, in a suitable unit. */
export function formatAge(time: string | null, now: string): string {
  if (!time) return "never";
  const minutes = Math.max(0, (Date.parse(now) - Date.parse(time)) / 60_000);
  if (minutes < 90) return `${Math.round(minutes)} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}
