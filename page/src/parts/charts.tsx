/** Small drawings of counts over days. */

import { scaleLinear } from "d3-scale";
import { area, line } from "d3-shape";
import { formatNumber } from "./text";

interface Point {
  readonly at: number;
  readonly value: number;
}

/** How a count moved, without axes: its words say from where to where. */
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
  const [low, high] = [Math.min(...points.map((one) => one.value)), Math.max(...points.map((one) => one.value))];
  const x = scaleLinear([0, Math.max(1, days.length - 1)], [2, 118]);
  const y = scaleLinear([low, high === low ? low + 1 : high], [28, 4]);
  const told = `${name}: ${formatNumber(first.value)} on ${days[first.at]}, ${formatNumber(last.value)} on ${days[last.at]}, from ${formatNumber(low)} to ${formatNumber(high)}`;
  const path = line<Point>(
    (one) => x(one.at),
    (one) => y(one.value),
  );
  const under = area<Point>(
    (one) => x(one.at),
    32,
    (one) => y(one.value),
  );
  return (
    <svg class="spark" viewBox="0 0 120 32" role="img" aria-label={told} preserveAspectRatio="none">
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

/** Bars side by side, one a day; a table beside them says the same. */
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
