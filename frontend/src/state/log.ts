/**
 * What the page knows of a run: its events, reduced to columns that charts can read.
 *
 * A `RunLog` only ever grows, and only through `applyEvent`, which depends on the event alone: the
 * same events give the same log, live, replayed or embedded in a report. Readers look at it up to a
 * playback step (`Column.countUpTo`, `lastUpToStep`), so scrubbing needs no copy.
 */

import type { EventOf, NormHistogram, RunEvent, Spec, Spectrum, Summary } from "../api/types";
import { Column } from "./column";

/** Where a run stands. `loading`: its first event has not arrived. */
export type RunStatus = "loading" | "queued" | "running" | "finished" | "failed" | "cancelled";

/** One test evaluation: each metric and its standard error, flat (`exact_match`, `exact_match_se`). */
export interface EvaluationPoint {
  step: number;
  values: Record<string, number>;
}

/** Spectra at an arm's outputs; null numbers of the event have become NaN. */
export interface CurvaturePoint {
  step: number;
  hessian: SpectrumPoint | null;
  fisher: SpectrumPoint | null;
  directionCosine: number;
  gradientNorms: NormHistogram;
}

export interface SpectrumPoint {
  eigenvalues: number[];
  condition: number;
  negative: number;
}

export interface ExamplesPoint {
  step: number;
  items: Record<string, unknown>[];
}

export interface SpikePoint {
  step: number;
  norm: number;
  median: number;
}

export interface ChangePoint {
  step: number;
  tikhonov: number | null;
  lr: number | null;
}

export type LandscapePoint = Omit<EventOf<"landscape">, "type" | "seq" | "arm">;

export interface ArmLog {
  /** Logged update steps, ascending; step k used batch k and the weights before it. */
  steps: Column;
  /** One column per metric name, aligned with `steps`; NaN where the value was not finite. */
  metrics: Record<string, Column>;
  evaluations: EvaluationPoint[];
  curvature: CurvaturePoint[];
  examples: ExamplesPoint[];
  spikes: SpikePoint[];
  changes: ChangePoint[];
  landscapes: LandscapePoint[];
  diverged: { step: number; reason: string } | null;
}

export interface RunLog {
  /** The server's name of the run; empty for a log without one (a report). */
  id: string;
  status: RunStatus;
  /** Place in the queue while `queued`, from 1. */
  position: number | null;
  /** The complete spec, from the `started` event on. */
  spec: Spec | null;
  device: string;
  versions: Record<string, string>;
  parameters: number;
  arms: ArmLog[];
  snapshots: { step: number; file: string }[];
  /** How far the run has computed: the last step that any arm has logged. */
  head: number;
  summary: Summary | null;
  /** Why the run failed, in words. */
  error: string | null;
  /** The last event applied; the next must be one more. */
  seq: number;
}

export function newLog(id = ""): RunLog {
  return {
    id,
    status: "loading",
    position: null,
    spec: null,
    device: "",
    versions: {},
    parameters: 0,
    arms: [],
    snapshots: [],
    head: 0,
    summary: null,
    error: null,
    seq: 0,
  };
}

/** Whether nothing more will come. */
export function hasEnded(log: Pick<RunLog, "status">): boolean {
  return log.status === "finished" || log.status === "failed" || log.status === "cancelled";
}

/**
 * Adds one event to the log, in place.
 *
 * Returns `applied`, `duplicate` (seen before, as after a reconnect: ignored), or `gap` (events are
 * missing before this one: ignored, and the caller asks again from `log.seq`).
 */
export function applyEvent(log: RunLog, event: RunEvent): "applied" | "duplicate" | "gap" {
  if (event.seq <= log.seq) return "duplicate";
  if (event.seq !== log.seq + 1) return "gap";
  log.seq = event.seq;
  reduce(log, event);
  return "applied";
}

function reduce(log: RunLog, event: RunEvent): void {
  switch (event.type) {
    case "started":
      log.status = "running";
      log.position = null;
      log.spec = event.spec;
      log.device = event.device;
      log.versions = event.versions;
      log.parameters = event.parameters;
      log.arms = event.spec.arms.map(newArm);
      return;
    case "metrics":
      addMetrics(armOf(log, event.arm), event);
      log.head = Math.max(log.head, event.steps.at(-1) ?? 0);
      return;
    case "evaluation": {
      const { type: _type, seq: _seq, arm, step, ...values } = event;
      armOf(log, arm).evaluations.push({ step, values: finite(values) });
      return;
    }
    case "curvature":
      armOf(log, event.arm).curvature.push({
        step: event.step,
        hessian: spectrum(event.hessian),
        fisher: spectrum(event.fisher),
        directionCosine: orNaN(event.direction_cosine),
        gradientNorms: event.gradient_norms,
      });
      return;
    case "examples":
      armOf(log, event.arm).examples.push({ step: event.step, items: event.items });
      return;
    case "landscape": {
      const { type: _type, seq: _seq, arm, ...slice } = event;
      armOf(log, arm).landscapes.push(slice);
      return;
    }
    case "spike":
      armOf(log, event.arm).spikes.push({
        step: event.step,
        norm: orNaN(event.norm),
        median: orNaN(event.median),
      });
      return;
    case "changed":
      armOf(log, event.arm).changes.push({
        step: event.step,
        tikhonov: event.tikhonov,
        lr: event.lr,
      });
      return;
    case "snapshot":
      log.snapshots.push({ step: event.step, file: event.file });
      return;
    case "diverged":
      armOf(log, event.arm).diverged = { step: event.step, reason: event.reason };
      return;
    case "finished":
    case "cancelled":
      log.status = event.type;
      log.summary = event.summary;
      break;
    case "failed":
      log.status = "failed";
      log.error = event.error;
      break;
    default: // a type of a newer server: nothing here draws it
      return;
  }
  log.position = null;
  log.head = Math.max(log.head, event.type === "failed" ? 0 : (event.summary?.step ?? 0));
}

function newArm(): ArmLog {
  return {
    steps: new Column(),
    metrics: {},
    evaluations: [],
    curvature: [],
    examples: [],
    spikes: [],
    changes: [],
    landscapes: [],
    diverged: null,
  };
}

function armOf(log: RunLog, index: number): ArmLog {
  const arm = log.arms[index];
  if (arm === undefined) throw new RangeError(`the log has no arm ${index}`);
  return arm;
}

function addMetrics(arm: ArmLog, event: EventOf<"metrics">): void {
  const before = arm.steps.length;
  for (const step of event.steps) arm.steps.push(step);
  for (const [name, values] of Object.entries(event.values)) {
    let column = arm.metrics[name];
    if (column === undefined) {
      column = new Column();
      arm.metrics[name] = column;
    }
    column.pad(before); // a metric that appears late has no earlier values
    for (const value of values) column.push(orNaN(value));
  }
  for (const column of Object.values(arm.metrics)) column.pad(arm.steps.length);
}

function orNaN(value: number | null | undefined): number {
  return value ?? Number.NaN;
}

function finite(values: Record<string, number | null>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, orNaN(value)]));
}

function spectrum(record: Spectrum | null): SpectrumPoint | null {
  if (record === null) return null;
  return {
    eigenvalues: record.eigenvalues.map(orNaN),
    condition: orNaN(record.condition),
    negative: record.negative,
  };
}
