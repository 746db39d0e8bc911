/** An invented run of any length, to look at the charts and to measure them. Same seed, same run. */

import type { RunEvent } from "../src/api/types";
import { arm, spec } from "../src/state/fixtures";

const BATCH = 50;

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
}

function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(next() + 1e-12)) * Math.cos(2 * Math.PI * next());
}

export const LABELS = ["Vanilla", "Hessian", "Fisher"] as const;
const CURVATURES = ["none", "hessian", "fisher"] as const;
const SPIKE = 0.72;

/** Events of a run of three arms, in the order and the batches that the loop sends them in. */
export function* syntheticEvents(steps: number, every: number): Generator<RunEvent> {
  let seq = 0;
  const say = (event: object): RunEvent => ({ seq: ++seq, ...event }) as RunEvent;
  const next = random(7);
  const of = spec({
    steps,
    arms: LABELS.map((label, i) => arm(label, { curvature: CURVATURES[i] ?? "none" })),
    evaluate_every: every,
  });
  yield say({ type: "started", spec: of, versions: {}, device: "cpu", parameters: 51000 });
  const spike = Math.round(SPIKE * steps);
  const change = Math.round(0.3 * steps);
  for (let from = 0; from <= steps; from += BATCH) {
    for (let a = 0; a < 3; a += 1) {
      if (from > 0)
        yield say(metrics(a, from - BATCH + 1, Math.min(from, steps), steps, spike, next));
      if (a === 0 && spike > from - BATCH && spike <= from) {
        yield say({ type: "spike", arm: 0, step: spike, norm: 5300, median: 0.21 });
      }
      if (a > 0 && from % 700 === 0 && from > 0) {
        yield say({ type: "spike", arm: a, step: from - 13, norm: 4 + next(), median: 0.3 });
      }
      if (a === 1 && change > from - BATCH && change <= from) {
        yield say({ type: "changed", arm: 1, step: change, tikhonov: 0.1, lr: null });
      }
      for (let at = Math.max(0, from - BATCH + 1); at <= Math.min(from, steps); at += 1) {
        if (at % every !== 0) continue;
        yield say(evaluation(a, at, steps, spike, next));
        yield say(curvature(a, at, steps, next));
      }
    }
  }
  const summary = { arms: [], step: steps, seconds: steps / 400, primary_metric: "exact_match" };
  yield say({ type: "finished", summary });
}

function metrics(
  a: number,
  first: number,
  last: number,
  steps: number,
  spike: number,
  next: () => number,
): object {
  const ks = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const rows = ks.map((k) => {
    const t = k / steps;
    const fallen = a === 0 && k > spike ? 0.09 * Math.exp(-(k - spike) / (0.3 * steps)) : 0;
    const loss =
      ([0.33, 0.31, 0.3][a] ?? 0.3) * Math.exp(-([1.4, 1.55, 1.7][a] ?? 1) * Math.sqrt(t)) + fallen;
    const noise = Math.exp(0.16 * normal(next));
    const norm = 0.2 * Math.exp(0.25 * normal(next)) * (a === 0 && k === spike ? 25000 : 1);
    return {
      loss: loss * noise,
      own_loss: loss * noise * 1.02,
      newton_loss: a === 0 ? null : 0.5 * (norm * 1.4) ** 2,
      output_gradient_norm: norm,
      largest_gradient_norm: norm * (2 + 3 * next()),
      direction_norm: a === 0 ? norm : norm * (a === 1 ? 3 : 8),
      parameter_gradient_norm: 0.6 * norm * Math.exp(0.2 * normal(next)),
      cosine:
        a === 0
          ? 1
          : Math.max(-1, (a === 1 ? 0.87 - 0.2 * t : 0.9 - 0.35 * t) + 0.05 * normal(next)),
      seconds: (k * (1 + 0.35 * a)) / 900,
    };
  });
  const names = Object.keys(rows[0] ?? {}) as (keyof (typeof rows)[number])[];
  const values = Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])]));
  return { type: "metrics", arm: a, steps: ks, values };
}

function evaluation(a: number, step: number, steps: number, spike: number, next: () => number) {
  const t = step / steps;
  const after = a === 0 && step > spike ? 0.14 * Math.exp(-(step - spike) / (0.35 * steps)) : 0;
  const rise =
    ([0.27, 0.285, 0.31][a] ?? 0.3) * (1 - Math.exp(-([3.1, 3, 2.9][a] ?? 3) * t)) - after;
  const share = Math.max(0, rise + 0.004 * normal(next));
  const error = Math.sqrt((share * (1 - share)) / 2500);
  return {
    type: "evaluation",
    arm: a,
    step,
    exact_match: share,
    exact_match_se: error,
    elementwise: Math.min(1, 0.1 + 0.9 * share ** 0.4),
    elementwise_se: error / 2,
  };
}

function curvature(a: number, step: number, steps: number, next: () => number): object {
  const t = step / steps;
  const eigenvalues = Array.from({ length: 10 }, (_, i) => {
    const size = 10 ** (-5 + 0.45 * i - 0.8 * t + 0.15 * normal(next));
    return i < (a === 1 ? 2 : 1) && t > 0.15 ? -size : size;
  }).sort((p, q) => p - q);
  const squares = Array.from(
    { length: 10 },
    (_, i) => 10 ** (-9 + 0.8 * i + 0.2 * normal(next)),
  ).sort((p, q) => p - q);
  const edges = Array.from({ length: 37 }, (_, i) => i / 2 - 12);
  const counts = new Array(36).fill(0);
  for (let sample = 0; sample < 100; sample += 1) {
    const wide = a === 0 ? 0.25 + t : 0.25 + 0.35 * t;
    const place = -0.9 - 0.8 * t + wide * normal(next) + (next() < 0.03 * t && a === 0 ? 4 : 0);
    counts[Math.max(0, Math.min(35, Math.floor(2 * (place + 12))))] += 1;
  }
  const zero = a === 0 ? Math.round(6 * t * next()) : 0;
  return {
    type: "curvature",
    arm: a,
    step,
    hessian: { eigenvalues, condition: 10 ** (0.8 + 0.9 * t + 0.06 * normal(next)), negative: 1 },
    fisher: {
      eigenvalues: squares,
      condition: 10 ** (2 + 1.2 * t + 0.08 * normal(next)),
      negative: 0,
    },
    direction_cosine: 0.8 - 0.4 * t + 0.05 * normal(next),
    gradient_norms: { log10_edges: edges, counts, zero, non_finite: 0 },
  };
}
