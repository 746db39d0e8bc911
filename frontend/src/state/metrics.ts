/** Test metrics in words. */

import { formatMeasured, formatShare } from "../format";
import { humanise } from "./schema";

export interface MetricWords {
  title: string;
  /** What an arm with this value does: "ranks 29.1 % of the sets right". */
  says(value: number): string;
  /** The value alone: "29.1 %". */
  value(value: number): string;
  /** A difference between two arms: "4.2 points". */
  difference(size: number): string;
  higherIsBetter: boolean;
}

function share(title: string, says: (percent: string) => string): MetricWords {
  return {
    title,
    says: (value) => says(formatShare(value)),
    value: formatShare,
    difference: (size) => `${(size * 100).toFixed(1)} points`,
    higherIsBetter: true,
  };
}

const WORDS: Record<string, MetricWords> = {
  exact_match: share("Exact match", (percent) => `ranks ${percent} of the sets right`),
  elementwise: share("Elementwise", (percent) => `puts ${percent} of the items in their place`),
  accuracy: share("Accuracy", (percent) => `classifies ${percent} of the images right`),
  optimal: share("Optimal paths", (percent) => `finds a best path on ${percent} of the maps`),
  perfect_match: share("Perfect match", (percent) => `finds the path of ${percent} of the maps`),
  cost_ratio: {
    title: "Cost ratio",
    says: (value) => `walks paths ${formatMeasured(value)} times as costly as the best`,
    value: (value) => formatMeasured(value),
    difference: (size) => formatMeasured(size),
    higherIsBetter: false,
  },
};

/** The words of a metric; a metric without its own is named and shown as a number. */
export function metricWords(name: string): MetricWords {
  const title = humanise(name);
  return (
    WORDS[name] ?? {
      title,
      says: (value) => `reaches ${title.toLowerCase()} ${formatMeasured(value)}`,
      value: (value) => formatMeasured(value),
      difference: (size) => formatMeasured(size),
      higherIsBetter: !/loss|distance|error|value|ratio/.test(name),
    }
  );
}
