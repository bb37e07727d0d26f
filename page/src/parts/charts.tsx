/** Small drawings of counts over days. */

import { scaleLinear } from "d3-scale";
import { area, line } from "d3-shape";
import { formatNumber } from "./text";

interface Point {
  readonly at: number;
  readonly value: number;
}

/** A count over time, without axes; its label names the values. */
export function Sparkline({
  days,
  values,
  name,
}: {
  days: readonly string[];
  values: readonly (number | null)[];
  name: string;
}) {
  const points = values.flatMap((value, at) => (value === null ? [] : [{ at, value }]));
  if (points.length < 2) return <span class="no-trend">no trend yet</span>;
  const [first, last] = [points[0]!, points.at(-1)!];
  const [low, high] = [
    Math.min(...points.map((point) => point.value)),
    Math.max(...points.map((point) => point.value)),
  ];
  const x = scaleLinear([0, Math.max(1, days.length - 1)], [2, 118]);
  const y = scaleLinear([low, high === low ? low + 1 : high], [28, 4]);
  const label = `${name}: ${formatNumber(first.value)} on ${days[first.at]}, ${formatNumber(last.value)} on ${days[last.at]}, from ${formatNumber(low)} to ${formatNumber(high)}`;
  const path = line<Point>(
    (point) => x(point.at),
    (point) => y(point.value),
  );
  const under = area<Point>(
    (point) => x(point.at),
    32,
    (point) => y(point.value),
  );
  return (
    <svg class="spark" viewBox="0 0 120 32" role="img" aria-label={label} preserveAspectRatio="none">
      <path class="under" d={under(points) ?? ""} />
      <path class="over" d={path(points) ?? ""} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly parts: readonly { readonly kind: string; readonly value: number }[];
}

/** A bar for each day; a table nearby has the same counts. */
export function Bars({ bars, label }: { bars: readonly Bar[]; label: string }) {
  const most = Math.max(1, ...bars.map((bar) => bar.value));
  return (
    <div class="bars" role="img" aria-label={label}>
      {bars.map((bar) => (
        <div class="bar-of-day" title={`${bar.name}: ${formatNumber(bar.value)}`}>
          {bar.parts.map((part) => (
            <div class={`part ${part.kind}`} style={{ height: `${(part.value / most) * 100}%` }} />
          ))}
        </div>
      ))}
    </div>
  );
}
