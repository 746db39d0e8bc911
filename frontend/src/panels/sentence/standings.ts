/** Where each arm stands at a step, and what has become of it on the way there. */

import { lastUpToStep } from "../../state/column";
import type { ArmLog, EvaluationPoint, RunLog, SpikePoint } from "../../state/log";
import { type MetricWords, metricWords } from "../../state/metrics";

export interface Row {
  arm: number;
  /** The evaluation's own step. */
  step: number;
  value: number;
  error: number;
}

/** An arm that has lost most of what it had gained. */
export interface Fall {
  arm: number;
  from: number;
  to: number;
  /** The spike before which all was well; null: it fell without one. */
  spike: SpikePoint | null;
}

export interface Standings {
  metric: string;
  words: MetricWords;
  /** Arms by their last evaluation, the best first; diverged ones have none that counts. */
  rows: Row[];
  diverged: { arm: number; step: number; reason: string }[];
  falls: Fall[];
}

/** Standard errors that a loss must exceed before it is a fall and no noise. */
const CLEARLY = 3;
/** The share of what it had gained that an arm must lose. */
const MOST_OF_IT = 0.5;

/** Where the arms stand at `step` in the primary metric; null before the first evaluation. */
export function standings(log: RunLog, step: number, primary?: string): Standings | null {
  const evaluations = log.arms.map((arm) => lastUpToStep(arm.evaluations, step));
  const first = evaluations.find((evaluation) => evaluation !== undefined);
  if (first === undefined) return null;
  const metric =
    log.summary?.primary_metric ??
    (primary !== undefined && primary in first.values ? primary : Object.keys(first.values)[0]);
  if (metric === undefined) return null;
  const words = metricWords(metric, log.spec?.task.name);
  const rows = evaluations.flatMap((evaluation, arm) => {
    const value = evaluation?.values[metric] ?? Number.NaN;
    if (!Number.isFinite(value) || hasDiverged(log.arms[arm], step)) return [];
    return [{ arm, step: evaluation?.step ?? 0, value, error: errorOf(evaluation, metric) }];
  });
  rows.sort((a, b) => (words.higherIsBetter ? b.value - a.value : a.value - b.value));
  const diverged = log.arms.flatMap((arm, index) =>
    arm.diverged !== null && arm.diverged.step <= step ? [{ arm: index, ...arm.diverged }] : [],
  );
  const falls = rows.flatMap((row) => fallOf(log, row, metric, words) ?? []);
  falls.sort((a, b) => (a.spike?.step ?? 0) - (b.spike?.step ?? 0));
  return { metric, words, rows, diverged, falls };
}

export function hasDiverged(arm: ArmLog | undefined, step: number): boolean {
  return arm?.diverged != null && arm.diverged.step <= step;
}

function errorOf(evaluation: EvaluationPoint | undefined, metric: string): number {
  const error = evaluation?.values[`${metric}_se`] ?? 0;
  return Number.isFinite(error) ? error : 0;
}

/** Whether the arm was far better once than it is now, and which spike came between. */
function fallOf(log: RunLog, now: Row, metric: string, words: MetricWords): Fall | null {
  const arm = log.arms[now.arm] as ArmLog;
  const past = arm.evaluations.filter(
    (point) => point.step <= now.step && Number.isFinite(point.values[metric]),
  );
  const sign = words.higherIsBetter ? 1 : -1;
  const height = (point: EvaluationPoint) => sign * (point.values[metric] as number);
  const [start] = past;
  if (start === undefined) return null;
  const peak = past.reduce((best, point) => (height(point) > height(best) ? point : best), start);
  const lost = height(peak) - sign * now.value;
  const gained = height(peak) - height(start);
  const error = Math.hypot(errorOf(peak, metric), now.error);
  if (gained <= CLEARLY * error || lost <= CLEARLY * error || lost <= MOST_OF_IT * gained) {
    return null;
  }
  // It was still well at the last evaluation above the middle of its loss.
  const middle = height(peak) - lost / 2;
  const well = past.findLast((point) => height(point) > middle) as EvaluationPoint;
  const low = past.find((point) => point.step > well.step) as EvaluationPoint;
  const spike = arm.spikes.find((one) => one.step >= well.step && one.step <= low.step);
  return { arm: now.arm, from: peak.values[metric] as number, to: now.value, spike: spike ?? null };
}

/** How many times the usual a spike was; infinite where its norm was no finite number. */
export function spikeSize({ norm, median }: SpikePoint): number {
  return Number.isNaN(norm) ? Number.POSITIVE_INFINITY : norm / median;
}
