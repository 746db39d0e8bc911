/** Small specs and logs for unit tests. */

import type { ArmSpec, RunEvent, Spec } from "../src/api/types";
import type { ArmLog, RunLog } from "../src/state/log";
import { logOfEvents } from "../src/state/store";

export function arm(label: string, settings: Partial<ArmSpec> = {}): ArmSpec {
  return {
    label,
    curvature: "none",
    tikhonov: 0.1,
    tikhonov_rule: "fixed",
    lm_grow_below: 0.25,
    lm_shrink_above: 0.75,
    lm_grow: 2,
    lm_shrink: 0.5,
    lm_floor: 1e-6,
    hessian: "batch_mean",
    definiteness: "raw",
    component: "full",
    component_of: "batch",
    ggn_iterations: 100,
    ggn_tolerance: 1e-6,
    optimizer: "adam",
    lr: 1e-3,
    momentum: 0,
    lr_milestones: [],
    gradient: "plain",
    clip_norm: 0.1,
    loss: null,
    ...settings,
  };
}

export function spec(settings: Partial<Spec> = {}): Spec {
  return {
    task: { name: "ranking" },
    loss: { name: "neuralsort", temperature: 1 },
    arms: [
      arm("Vanilla"),
      arm("Hessian", { curvature: "hessian" }),
      arm("Fisher", { curvature: "fisher" }),
    ],
    steps: 100,
    batch_size: 50,
    seed: 0,
    device: "cpu",
    log_every: 1,
    evaluate_every: 25,
    landscape_every: null,
    target: null,
    validation_share: null,
    seconds: null,
    changes: [],
    ...settings,
  };
}

type Unnumbered<T> = T extends RunEvent ? Omit<T, "seq"> : never;

/** Numbers the events from 1. */
export function numbered(events: Unnumbered<RunEvent>[]): RunEvent[] {
  return events.map((event, index) => ({ ...event, seq: index + 1 }) as RunEvent);
}

export function started(of: Spec = spec(), warnings: string[] = []): Unnumbered<RunEvent> {
  const versions = { torch: "2" };
  return { type: "started", spec: of, versions, device: "cpu", parameters: 10, warnings };
}

export function metrics(
  index: number,
  steps: number[],
  values: Record<string, (number | null)[]>,
): Unnumbered<RunEvent> {
  return { type: "metrics", arm: index, steps, values };
}

export function evaluation(
  index: number,
  step: number,
  values: Record<string, number | null>,
): Unnumbered<RunEvent> {
  return Object.assign({ type: "evaluation" as const, arm: index, step }, values);
}

export function logOf(events: Unnumbered<RunEvent>[], id = "run"): RunLog {
  return logOfEvents(id, numbered(events));
}

type Lists = Pick<ArmLog, "curvature" | "spikes" | "changes">;

/** The log with more records of an arm. */
export function withRecords(log: RunLog, index: number, more: Partial<Lists>): RunLog {
  const longer = (arm: ArmLog): ArmLog => ({
    ...arm,
    curvature: [...arm.curvature, ...(more.curvature ?? [])],
    spikes: [...arm.spikes, ...(more.spikes ?? [])],
    changes: [...arm.changes, ...(more.changes ?? [])],
  });
  return { ...log, arms: log.arms.map((arm, at) => (at === index ? longer(arm) : arm)) };
}
