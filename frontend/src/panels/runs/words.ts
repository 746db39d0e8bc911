/** A run of the list in words. */

import type { RunInfo } from "../../api/types";
import { formatDuration } from "../../format";
import { metricWords } from "../../state/metrics";

export function statusWords(item: RunInfo): string {
  switch (item.status) {
    case "queued":
      return item.position === null ? "queued" : `queued, place ${item.position}`;
    case "running":
      return `running, ${Math.floor((100 * item.step) / item.steps)} %`;
    case "failed":
      return `failed: ${item.error ?? "unknown reason"}`;
    case "cancelled":
      return `stopped at step ${item.step}`;
    default:
      return item.summary === null
        ? "finished"
        : `finished in ${formatDuration(item.summary.seconds)}`;
  }
}

/** Each arm's last result: "Vanilla 24.9 %, Fisher 29.1 %". */
export function resultWords(item: RunInfo): string {
  const { summary } = item;
  if (summary === null) return item.arms.map((arm) => arm.label).join(", ");
  const words = metricWords(summary.primary_metric, item.task);
  const results = summary.arms.map((arm) => {
    const value = arm.metrics[summary.primary_metric];
    if (arm.status === "diverged") return `${arm.label} diverged`;
    return value == null ? arm.label : `${arm.label} ${words.value(value)}`;
  });
  return `${words.title}: ${results.join(", ")}`;
}

export function when(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
