/** Test metrics in words. */

import { fixed, formatMeasured, formatShare } from "../format";
import { humanise } from "./schema";
import { vocabulary } from "./vocabulary";

export interface MetricWords {
  title: string;
  /** What an arm with this value does: "ranks 29.1 % of the sets right". */
  says(value: number): string;
  /** The value alone: "29.1 %". */
  value(value: number): string;
  /** The value in a table whose heading names the metric: "29.1". */
  number(value: number): string;
  /** A difference between two arms: "4.2 points". */
  difference(size: number): string;
  higherIsBetter: boolean;
}

/**
 * The words of a task's metric. A metric that the server does not describe keeps its name and is
 * shown as a number. The task matters, because two tasks may give one name to different metrics: a
 * best path in one, a best net in another.
 */
export function metricWords(name: string, task = ""): MetricWords {
  const { tasks, steps } = vocabulary.value.metrics;
  const own = tasks[task] ?? [];
  const all = [...own, ...Object.values(tasks).flat(), ...steps];
  const known = all.find((metric) => metric.name === name);
  const title = known?.title ?? humanise(name);
  const isShare = known?.kind === "share";
  const value = isShare ? formatShare : (number: number) => formatMeasured(number);
  const sentence = known?.sentence ?? "reaches {title} {value}";
  return {
    title,
    value,
    number: isShare ? (number) => fixed(number * 100, 1) : value,
    says: (number) =>
      sentence.replace("{title}", title.toLowerCase()).replace("{value}", value(number)),
    difference: isShare ? (size) => `${fixed(size * 100, 1)} points` : value,
    higherIsBetter: known?.better !== "lower",
  };
}
