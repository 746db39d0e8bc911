/** Numbers of a reproduction as its tables and bars show them. */

import type { ArmResult, ResultInterval, ResultMetric, RowResult } from "../../api/types";
import { fixed, formatCount, significant } from "../../format";

/** A value in a metric's units, shares in per cent; with `signed` the plus is shown. */
export function shownValue(
  metric: ResultMetric,
  value: number | null | undefined,
  signed = false,
): string {
  if (value === null || value === undefined) return "-";
  const text =
    metric.kind === "share"
      ? fixed(100 * value, 1)
      : Math.abs(value) >= 1000 && Math.abs(value) < 1e6
        ? formatCount(value).replace("-", "−")
        : metric.decimals === null
          ? significant(value, 3)
          : fixed(value, metric.decimals);
  return signed && value >= 0 ? `+${text}` : text;
}

/** "+3.1 (+1.2 to +5.0)", or the mean alone where there is no interval. */
export function intervalWords(metric: ResultMetric, interval: ResultInterval): string {
  const mean = shownValue(metric, interval.mean, true);
  if (!hasEnds(interval)) return mean;
  const ends = [interval.low, interval.high].map((end) => shownValue(metric, end, true));
  return `${mean} (${ends.join(" to ")})`;
}

export function hasEnds(
  interval: ResultInterval,
): interval is ResultInterval & { mean: number; low: number; high: number } {
  return [interval.mean, interval.low, interval.high].every((value) => typeof value === "number");
}

/** Whether an arm is shown to be better or worse than the first. */
export function standing({ gain }: ArmResult): "better" | "worse" | "open" {
  return gain?.shows === "better" || gain?.shows === "worse" ? gain.shows : "open";
}

/** What the paper's arm gains over the paper's baseline; null where a number is not known. */
export function paperGain(row: Pick<RowResult, "arms">, arm: ArmResult): number | null {
  const base = row.arms[0]?.paper;
  return base && arm.paper && arm !== row.arms[0] ? arm.paper.mean - base.mean : null;
}

/** The range that holds all intervals of a row, the paper's gains and zero, with some room. */
export function rangeOf(row: Pick<RowResult, "arms">): [number, number] {
  const ends = [0];
  for (const arm of row.arms) {
    if (arm.gain && hasEnds(arm.gain)) ends.push(arm.gain.low, arm.gain.high);
    ends.push(paperGain(row, arm) ?? 0);
  }
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const room = (high - low || 1) * 0.04;
  return [low - room, high + room];
}

/** The labels of all arms, if every row has the same ones. */
export function commonLabels(rows: readonly RowResult[]): string[] | null {
  const [first, ...others] = rows.map((row) => row.arms.map((arm) => arm.label));
  if (first === undefined) return null;
  return others.every((labels) => labels.join("\n") === first.join("\n")) ? first : null;
}

/** The metric's name in the middle of a sentence, with its unit. */
export function metricWords(metric: ResultMetric): string {
  const title = metric.title.charAt(0).toLowerCase() + metric.title.slice(1);
  return metric.kind === "share" ? `${title}, %` : title;
}
