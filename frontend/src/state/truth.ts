/** What really happened, for questions: read from a run's log, or from descents on a surface. */

import { lastUpToStep } from "./column";
import { hasEnded, type RunLog } from "./log";

export interface Truth {
  /** The arms or descents that there are. */
  labels: readonly string[];
  /** How far one can look. */
  head: number;
  /** Whether nothing more will come. */
  ended: boolean;
  /** The last value at or before a step; null: there is none. */
  at(label: string, metric: string, step: number): number | null;
}

export function truthOfRun(log: RunLog): Truth {
  const labels = log.spec?.arms.map((arm) => arm.label) ?? [];
  return {
    labels,
    head: log.head,
    ended: hasEnded(log),
    at(label, metric, step) {
      const arm = log.arms[labels.indexOf(label)];
      if (arm === undefined) return null;
      const column = arm.metrics[metric];
      if (column !== undefined) {
        const count = arm.steps.countUpTo(step);
        return count === 0 ? null : finite(column.at(count - 1));
      }
      const [matrix, field] = metric.split(".");
      if (field !== undefined && (matrix === "hessian" || matrix === "fisher")) {
        const spectrum = lastUpToStep(arm.curvature, step)?.[matrix];
        if (spectrum == null) return null;
        if (field === "condition" || field === "negative") return finite(spectrum[field]);
        return finite(spectrum.eigenvalues.at(field === "largest" ? -1 : 0) ?? Number.NaN);
      }
      if (metric === "direction_cosine") {
        return finite(lastUpToStep(arm.curvature, step)?.directionCosine ?? Number.NaN);
      }
      return finite(lastUpToStep(arm.evaluations, step)?.values[metric] ?? Number.NaN);
    },
  };
}

export function truthOfDescents(
  walks: readonly { label: string; values: readonly (number | null)[] }[],
): Truth {
  return {
    labels: walks.map((walk) => walk.label),
    head: Math.max(0, ...walks.map((walk) => walk.values.length - 1)),
    ended: walks.length > 0,
    at(label, metric, step) {
      if (metric !== "value") return null;
      return walks.find((walk) => walk.label === label)?.values[step] ?? null;
    },
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
