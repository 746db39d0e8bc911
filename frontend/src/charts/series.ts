/** Columns to draw, read from a log by metric name; records become columns once, and grow with it. */

import type { ArmSpec } from "../api/types";
import { type Column, ColumnBuffer } from "../state/column";
import { quantile, shareAbove, shareBelow, type Thresholds } from "../state/health";
import type { ArmLog, CurvaturePoint, SpectrumPoint } from "../state/log";
import type { Spread } from "./overSeeds";
import type { Choice } from "./templates";

/** One curve's data: `y` at `steps`, its standard errors, and the spread of seeds if it is of some. */
export interface Series {
  steps: Column;
  y: Column;
  error: Column | null;
  spread: Spread | null;
}

/** The arm's data for a choice; null where it has none (yet). */
export function seriesOf(
  arm: ArmLog,
  spec: Pick<ArmSpec, "curvature"> | undefined,
  choice: Choice,
  thresholds: Thresholds,
): Series | null {
  const { metric, factor, source } = choice;
  if (source === "metrics") {
    const y = arm.metrics[metric];
    return y === undefined ? null : { steps: arm.steps, y, error: null, spread: null };
  }
  if (source === "evaluation") {
    return column(arm.evaluations, metric, {
      y: (point) => factor * (point.values[metric] ?? Number.NaN),
      error: (point) => factor * (point.values[`${metric}_se`] ?? Number.NaN),
    });
  }
  const read = curvatureReader(metric, spec?.curvature ?? "none", factor, thresholds);
  if (read === null) return null;
  const key = `${metric} ${spec?.curvature} ${thresholds.vanishing} ${thresholds.exploding}`;
  return column(arm.curvature, key, { y: read });
}

type Reader<T> = (record: T) => number;

interface Cached {
  steps: ColumnBuffer;
  y: ColumnBuffer;
  error: ColumnBuffer | null;
}

/** By the first record, which all lists of one arm's records begin with. */
const cache = new WeakMap<object, Map<string, Cached>>();

/** Records as columns: those seen before, in a list that has grown since, are not read again. */
function column<T extends { step: number }>(
  records: readonly T[],
  key: string,
  read: { y: Reader<T>; error?: Reader<T> },
): Series | null {
  const [first] = records;
  if (first === undefined) return null;
  let kept = cache.get(first);
  if (kept === undefined) {
    kept = new Map();
    cache.set(first, kept);
  }
  let found = kept.get(key);
  if (found === undefined) {
    const error = read.error === undefined ? null : new ColumnBuffer(64);
    found = { steps: new ColumnBuffer(64), y: new ColumnBuffer(64), error };
    kept.set(key, found);
  }
  for (const record of records.slice(found.steps.length)) {
    found.steps.push(record.step);
    found.y.push(read.y(record));
    found.error?.push(read.error?.(record) ?? Number.NaN);
  }
  const { length } = records;
  return {
    steps: found.steps.upTo(length),
    y: found.y.upTo(length),
    error: found.error?.upTo(length) ?? null,
    spread: null,
  };
}

function curvatureReader(
  metric: string,
  own: ArmSpec["curvature"],
  factor: number,
  thresholds: Thresholds,
): Reader<CurvaturePoint> | null {
  if (metric === "direction_cosine") return (point) => point.directionCosine;
  if (metric === "vanishing") {
    return (point) => factor * shareBelow(point.gradientNorms, thresholds.vanishing);
  }
  if (metric === "exploding") {
    return (point) => factor * shareAbove(point.gradientNorms, thresholds.exploding);
  }
  const [record, field] = metric.split(".");
  if (record === "gradient_norms") {
    const share = field === "median" ? 0.5 : 1;
    return (point) => quantile(point.gradientNorms, share);
  }
  const which = record === "own" ? own : record;
  if (which !== "hessian" && which !== "fisher") return null;
  return (point) => factor * fieldOf(point[which], field ?? "");
}

function fieldOf(spectrum: SpectrumPoint | null, field: string): number {
  if (spectrum === null) return Number.NaN;
  if (field === "condition") return spectrum.condition;
  if (field === "complement_condition") return spectrum.complementCondition;
  if (field === "negative") return spectrum.negative;
  const values = spectrum.eigenvalues;
  return (field === "largest" ? values[values.length - 1] : values[0]) ?? Number.NaN;
}

/** The x of a step: the step itself, or the arm's own computing time up to it. */
export function xOf(arm: ArmLog, step: number, unit: "step" | "seconds"): number {
  if (unit === "step") return step;
  if (step <= 0) return 0;
  const seconds = arm.metrics.seconds;
  const at = arm.steps.countUpTo(step) - 1;
  return seconds === undefined || at < 0 ? Number.NaN : seconds.at(at);
}

/** The step that an arm had reached at a time: the inverse of `xOf`. */
export function stepAt(arm: ArmLog, x: number, unit: "step" | "seconds"): number {
  if (unit === "step") return Math.round(x);
  const at = (arm.metrics.seconds?.countUpTo(x) ?? 0) - 1;
  return at < 0 ? 0 : arm.steps.at(at);
}
