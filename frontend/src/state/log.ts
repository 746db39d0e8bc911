/**
 * What the page knows of a run: its events, reduced to columns that charts can read.
 *
 * A `RunLog` never changes. A `RunStore` makes one from the events so far, and another once there
 * are more; the logs of one store share what they have in common. Readers look at a log up to a
 * playback step (`Column.countUpTo`, `lastUpToStep`), so scrubbing needs no copy.
 */

import type { EventOf, Example, NormHistogram, Spec, Summary } from "../api/types";
import type { Column } from "./column";

/** Where a run stands, by its events. `loading`: its first one has not arrived. */
export type RunStatus = "loading" | "running" | "finished" | "failed" | "cancelled";

/** One test evaluation: each metric and its standard error, flat (`exact_match`, `exact_match_se`). */
export interface EvaluationPoint {
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Spectra at an arm's outputs; null numbers of the event have become NaN. */
export interface CurvaturePoint {
  readonly step: number;
  readonly hessian: SpectrumPoint | null;
  readonly fisher: SpectrumPoint | null;
  readonly directionCosine: number;
  readonly gradientNorms: NormHistogram;
}

export interface SpectrumPoint {
  readonly eigenvalues: readonly number[];
  readonly condition: number;
  readonly complementCondition: number;
  readonly negative: number;
}

export interface ExamplesPoint {
  readonly step: number;
  readonly items: readonly Example[];
}

export interface SpikePoint {
  readonly step: number;
  readonly norm: number;
  readonly median: number;
}

/** Something that keeps an arm from learning, in words. */
export interface NoticePoint {
  readonly step: number;
  readonly message: string;
}

export interface ChangePoint {
  readonly step: number;
  readonly tikhonov: number | null;
  readonly lr: number | null;
}

export type LandscapePoint = Omit<EventOf<"landscape">, "type" | "seq" | "arm">;

export interface ArmLog {
  /** Logged update steps, ascending; step k used batch k and the weights before it. */
  readonly steps: Column;
  /** One column per metric name, aligned with `steps`; NaN where the value was not finite. */
  readonly metrics: Readonly<Record<string, Column>>;
  readonly evaluations: readonly EvaluationPoint[];
  readonly curvature: readonly CurvaturePoint[];
  readonly examples: readonly ExamplesPoint[];
  readonly spikes: readonly SpikePoint[];
  /** Said at every evaluation while it lasts. */
  readonly notices: readonly NoticePoint[];
  readonly changes: readonly ChangePoint[];
  readonly landscapes: readonly LandscapePoint[];
  readonly diverged: { step: number; reason: string } | null;
}

export interface RunLog {
  /** The server's name of the run; empty for a log without one (a report). */
  readonly id: string;
  readonly status: RunStatus;
  /** The spec: as it was sent, and complete from the `started` event on. */
  readonly spec: Spec | null;
  readonly device: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly parameters: number;
  /** What may be wrong with the data, in sentences. */
  readonly warnings: readonly string[];
  readonly arms: readonly ArmLog[];
  readonly snapshots: readonly { step: number; file: string }[];
  /** How far the run has computed: the last step that any arm has logged. */
  readonly head: number;
  readonly summary: Summary | null;
  /** Why the run failed, in words. */
  readonly error: string | null;
  /** The last event applied; the next must be one more. */
  readonly seq: number;
}

/** Whether nothing more will come. */
export function hasEnded(log: Pick<RunLog, "status">): boolean {
  return log.status === "finished" || log.status === "failed" || log.status === "cancelled";
}
