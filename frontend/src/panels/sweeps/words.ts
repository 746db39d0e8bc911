/** Numbers and settings of a sweep in words. */

import type { Scalar, SweepDetail, SweptAxis } from "../../api/sweeps";
import { fixed, formatMeasured } from "../../format";
import { scalarWords } from "./grid";

type Metric = SweepDetail["metric"];

/** A value of the metric: "29.1 %", "0.0312", "800". */
export function number(metric: Metric, value: number | null): string {
  if (value === null) return "not finite";
  const suffix = metric.kind === "share" ? " %" : "";
  const shown = metric.kind === "share" ? value * 100 : value;
  if (metric.kind === "share") return `${fixed(shown, metric.decimals ?? 1)}${suffix}`;
  return metric.decimals === null ? formatMeasured(shown) : fixed(shown, metric.decimals);
}

interface Interval {
  mean: number | null;
  low: number | null;
  high: number | null;
}

/** "0.031 to 0.045"; a single seed has no interval. */
export function interval(metric: Metric, { low, high }: Interval): string {
  return low === null || high === null
    ? "no interval from one seed"
    : `${number(metric, low)} to ${number(metric, high)}`;
}

/** "+0.12", "−3.4 %". */
export function difference(metric: Metric, { mean }: Interval): string {
  return mean === null || mean < 0 ? number(metric, mean) : `+${number(metric, mean)}`;
}

export function settingsWords(
  settings: Readonly<Record<string, Scalar>>,
  grid: readonly SweptAxis[],
): string {
  return grid.map(({ path }) => `${path} ${scalarWords(settings[path])}`).join(", ");
}

/** "seed 3", "seeds 0 to 9". */
export function seedWords(seeds: readonly number[]): string {
  return seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds[0]} to ${seeds.at(-1)}`;
}

/** The report's seeds: so many, from 0 on. */
export function seedsUpTo(count: number): number[] {
  return Array.from({ length: count }, (_, seed) => seed);
}
