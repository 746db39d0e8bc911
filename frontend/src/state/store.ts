/**
 * Makes a `RunLog` out of a run's events.
 *
 * Only the store grows: a log that it has given never changes. The log depends on the events alone,
 * so the same events give the same log, live, replayed or embedded in a report. A log costs a copy
 * of the lists that have grown since the last one; columns cost nothing, as they share buffers.
 */

import type { EventOf, RunEvent, Spec, Spectrum } from "../api/types";
import { ColumnBuffer } from "./column";
import {
  type ArmLog,
  type ChangePoint,
  type CurvaturePoint,
  type EvaluationPoint,
  type ExamplesPoint,
  hasEnded,
  type LandscapePoint,
  type NoticePoint,
  type RunLog,
  type SpectrumPoint,
  type SpikePoint,
} from "./log";

/** What became of an event: `duplicate`: seen before, and ignored; `gap`: events before it are missing. */
export type Applied = "applied" | "duplicate" | "gap";

export class RunStore {
  private facts: Omit<RunLog, "arms" | "snapshots">;
  private arms: readonly ArmStore[] = [];
  private readonly snapshots = new Records<RunLog["snapshots"][number]>();
  private latest: RunLog | null = null;

  /** `spec`: as far as it is known before the run says it itself. */
  constructor(id = "", spec: Spec | null = null) {
    this.facts = {
      id,
      status: "loading",
      spec,
      device: "",
      versions: {},
      parameters: 0,
      warnings: [],
      head: 0,
      summary: null,
      error: null,
      seq: 0,
    };
  }

  /** The last event applied; the next must be one more. */
  get seq(): number {
    return this.facts.seq;
  }

  get ended(): boolean {
    return hasEnded(this.facts);
  }

  /** Whether the run has computed `step`, or never will. */
  hasReached(step: number): boolean {
    return this.ended || (this.seq > 0 && this.facts.head >= step);
  }

  /** The run so far, for good; the same object until another event is applied. */
  get log(): RunLog {
    this.latest ??= {
      ...this.facts,
      arms: this.arms.map((arm) => arm.log),
      snapshots: this.snapshots.list,
    };
    return this.latest;
  }

  /** Adds an event. Of a `gap` the caller asks again, from `seq`. */
  apply(event: RunEvent): Applied {
    if (event.seq <= this.seq) return "duplicate";
    if (event.seq !== this.seq + 1) return "gap";
    this.latest = null;
    this.facts = { ...this.facts, seq: event.seq, ...this.reduce(event) };
    return "applied";
  }

  /** Appends what the event appends, and gives the facts that it changes. */
  private reduce(event: RunEvent): Partial<RunLog> {
    switch (event.type) {
      case "started": {
        const { spec, device, versions, parameters, warnings = [] } = event;
        this.arms = spec.arms.map(() => new ArmStore());
        return { status: "running", spec, device, versions, parameters, warnings };
      }
      case "snapshot":
        this.snapshots.push({ step: event.step, file: event.file });
        return {};
      case "finished":
      case "cancelled": {
        const { type: status, summary } = event;
        return { status, summary, head: Math.max(this.facts.head, summary?.step ?? 0) };
      }
      case "failed":
        return { status: "failed", error: event.error };
      case "metrics":
        this.arm(event.arm).add(event);
        return { head: Math.max(this.facts.head, event.steps.at(-1) ?? 0) };
      case "evaluation":
      case "curvature":
      case "examples":
      case "landscape":
      case "spike":
      case "notice":
      case "changed":
      case "diverged":
        this.arm(event.arm).add(event);
        return {};
      default: // a type of a newer server: nothing here draws it
        return {};
    }
  }

  private arm(index: number): ArmStore {
    const arm = this.arms[index];
    if (arm === undefined) throw new RangeError(`the log has no arm ${index}`);
    return arm;
  }
}

/** The log of events that are all there: a report's, or another run's. */
export function logOfEvents(id: string, events: readonly RunEvent[]): RunLog {
  const store = new RunStore(id);
  for (const event of events) store.apply(event);
  return store.log;
}

type ArmEvent = EventOf<
  | "metrics"
  | "evaluation"
  | "curvature"
  | "examples"
  | "landscape"
  | "spike"
  | "notice"
  | "changed"
  | "diverged"
>;

class ArmStore {
  private readonly steps = new ColumnBuffer();
  private readonly metrics = new Map<string, ColumnBuffer>();
  private readonly evaluations = new Records<EvaluationPoint>();
  private readonly curvature = new Records<CurvaturePoint>();
  private readonly examples = new Records<ExamplesPoint>();
  private readonly spikes = new Records<SpikePoint>();
  private readonly notices = new Records<NoticePoint>();
  private readonly changes = new Records<ChangePoint>();
  private readonly landscapes = new Records<LandscapePoint>();
  private diverged: ArmLog["diverged"] = null;
  private latest: ArmLog | null = null;

  get log(): ArmLog {
    this.latest ??= {
      steps: this.steps.column,
      metrics: Object.fromEntries(
        Array.from(this.metrics, ([name, values]) => [name, values.column]),
      ),
      evaluations: this.evaluations.list,
      curvature: this.curvature.list,
      examples: this.examples.list,
      spikes: this.spikes.list,
      notices: this.notices.list,
      changes: this.changes.list,
      landscapes: this.landscapes.list,
      diverged: this.diverged,
    };
    return this.latest;
  }

  add(event: ArmEvent): void {
    this.latest = null;
    switch (event.type) {
      case "metrics":
        this.addMetrics(event);
        return;
      case "evaluation": {
        const { type: _, seq: _s, arm: _a, step, primary_metric: _p, ...values } = event;
        this.evaluations.push({ step, values: withNaN(values) });
        return;
      }
      case "curvature":
        this.curvature.push({
          step: event.step,
          hessian: spectrum(event.hessian),
          fisher: spectrum(event.fisher),
          directionCosine: orNaN(event.direction_cosine),
          gradientNorms: event.gradient_norms,
        });
        return;
      case "examples":
        this.examples.push({ step: event.step, items: event.items });
        return;
      case "landscape": {
        const { type: _type, seq: _seq, arm: _arm, ...landscape } = event;
        this.landscapes.push(landscape);
        return;
      }
      case "spike":
        this.spikes.push({
          step: event.step,
          norm: orNaN(event.norm),
          median: orNaN(event.median),
        });
        return;
      case "notice":
        this.notices.push({ step: event.step, message: event.message });
        return;
      case "changed":
        this.changes.push({ step: event.step, tikhonov: event.tikhonov, lr: event.lr });
        return;
      case "diverged":
        this.diverged = { step: event.step, reason: event.reason };
        return;
    }
  }

  private addMetrics(event: EventOf<"metrics">): void {
    const before = this.steps.length;
    for (const step of event.steps) this.steps.push(step);
    for (const [name, values] of Object.entries(event.values)) {
      let column = this.metrics.get(name);
      if (column === undefined) {
        column = new ColumnBuffer();
        this.metrics.set(name, column);
      }
      column.pad(before); // a metric that appears late has no earlier values
      for (const value of values) column.push(orNaN(value));
    }
    for (const column of this.metrics.values()) column.pad(this.steps.length);
  }
}

/** A list that grows here; its readers have copies of it, the same one while it does not. */
class Records<T> {
  private readonly all: T[] = [];
  private latest: readonly T[] = [];

  push(record: T): void {
    this.all.push(record);
  }

  get list(): readonly T[] {
    if (this.latest.length !== this.all.length) this.latest = this.all.slice();
    return this.latest;
  }
}

function orNaN(value: number | null | undefined): number {
  return value ?? Number.NaN;
}

function withNaN(values: Record<string, number | null>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, orNaN(value)]));
}

function spectrum(record: Spectrum | null): SpectrumPoint | null {
  if (record === null) return null;
  return {
    eigenvalues: record.eigenvalues.map(orNaN),
    condition: orNaN(record.condition),
    complementCondition: orNaN(record.complement_condition),
    negative: record.negative,
  };
}
