/** What curvature did to a gradient: which step is asked for, and what is said of it. Pure. */

import type { StepQuery, StepSeen } from "../../api/landscapes";
import { fixed, formatCount, formatMeasured, formatSetting } from "../../format";
import { settingsAt, takesNewtonStep } from "../../state/edit";
import type { RunLog } from "../../state/log";

type Spec = NonNullable<RunLog["spec"]>;
export type StepPlane = StepSeen["plane"];
export type StepChange = NonNullable<StepPlane["change"]>;
export type StepView = StepPlane["views"][number];

/** What the reader chose. */
export interface StepChoice {
  /** Null: the first arm with curvature. */
  arm: number | null;
  /** Null: the one with the longest gradient. */
  sample: number | null;
}

/** A change of an arm's λ: while it is dragged, or the last one up to a step. */
export interface Redamping {
  step: number;
  from: number;
  to: number;
}

/** The symbols of z* = y - (C + λI)^-1 g. */
export type Piece = "z" | "y" | "C" | "lambda" | "g";

/** The first arm that curvature does something to; the first of all where there is none. */
export function firstArm(spec: Pick<Spec, "arms">): number {
  return Math.max(0, spec.arms.findIndex(takesNewtonStep));
}

/** What last changed an arm's λ up to a step; null: it has always been the same. */
export function redampingOf(spec: Spec, arm: number, step: number): Redamping | null {
  const change = spec.changes.findLast(
    (one) => one.arm === arm && one.step <= step && one.tikhonov !== null,
  );
  if (change?.tikhonov == null) return null;
  const from = settingsAt(spec, arm, change.step - 1).tikhonov;
  return from === change.tikhonov ? null : { step: change.step, from, to: change.tikhonov };
}

/** λ as the page knows it; null where a rule of the arm's own sets it, and a snapshot knows it. */
export function tikhonovOf(spec: Spec, arm: number, step: number): number | null {
  const own = spec.arms[arm];
  if (own !== undefined && "tikhonov_rule" in own && own.tikhonov_rule !== "fixed") return null;
  return settingsAt(spec, arm, step).tikhonov;
}

/** The question to the server. */
export function stepQuery(
  run: string,
  spec: Spec,
  step: number,
  arm: number,
  sample: number | null,
  changed: Redamping | null,
  cursor: number,
): StepQuery {
  const own = spec.arms[arm];
  const curved = own !== undefined && takesNewtonStep(own);
  return {
    space: "step",
    run,
    step,
    arm,
    sample,
    tikhonov: curved ? (changed?.to ?? tikhonovOf(spec, arm, cursor)) : null,
    earlier: curved ? (changed?.from ?? null) : null,
  };
}

/** Ratios in between keep the length. */
const SAME = 1.1;
/** Degrees below which a step does not turn, hardly turns. */
const STILL = 0.5;
const HARDLY = 10;

/** "shrinks the step to 1/129 of its length", of one step or of `a` step as they usually are. */
export function lengthWords({ ratio }: StepChange, which: "the" | "a" = "the"): string {
  if (ratio === null) return "leaves no length to compare";
  if (ratio > 1 / SAME && ratio < SAME) return `keeps ${which} step's length`;
  if (ratio >= SAME) {
    return `stretches ${which} step to ${formatMeasured(ratio, 2)} times its length`;
  }
  const share =
    ratio > 0.1 ? `${formatMeasured(100 * ratio, 2)} %` : `1/${formatMeasured(1 / ratio, 2)}`;
  return `shrinks ${which} step to ${share} of its length`;
}

/** "and turns it by 25°". */
export function turnWords({ degrees }: StepChange): string {
  if (degrees === null) return "and leaves no direction to compare";
  if (degrees < STILL) return "and does not turn it";
  const by = `by ${degreeText(degrees)}`;
  if (degrees < HARDLY) return `and hardly turns it (${by})`;
  return degrees > 90 ? `and turns it ${by}, uphill` : `and turns it ${by}`;
}

/** The one word for it. */
export function kindOf({ ratio, degrees }: StepChange): string {
  const turned = (degrees ?? 0) >= HARDLY;
  const rescaled = ratio !== null && (ratio <= 1 / SAME || ratio >= SAME);
  if (turned && rescaled) return "Turned and rescaled";
  if (turned) return "Turned, not rescaled";
  if (!rescaled) return "Left as it was";
  return (degrees ?? 0) < STILL ? "Rescaled, not turned" : "Rescaled, hardly turned";
}

export function degreeText(degrees: number | null): string {
  if (degrees === null) return "–";
  return `${fixed(degrees, degrees < 9.95 ? 1 : 0)}°`;
}

/** "× 0.0078". */
/** Ratios that have too many zeros to be read. */
const TINY = 0.001;

export function ratioText(ratio: number | null): string {
  if (ratio === null) return "–";
  const isTiny = ratio > 0 && ratio < TINY;
  return `× ${isTiny ? `1/${formatMeasured(1 / ratio, 2)}` : formatMeasured(ratio, 2)}`;
}

/** Ascending eigenvalues of a symmetric 2 x 2 matrix; null where an entry is not finite. */
export function eigenvalues(matrix: StepPlane["matrix"]): [number, number] | null {
  const [[a, b], [, d]] = matrix ?? [
    [null, null],
    [null, null],
  ];
  if (a === null || b === null || d === null) return null;
  const middle = (a + d) / 2;
  const radius = Math.hypot((a - d) / 2, b);
  return [middle - radius, middle + radius];
}

/** The quadratic this many times as steep one way as the other counts as round. */
const ROUND = 1.6;

/** Why the step turned, or did not: the shape of the quadratic. */
export function whyWords(plane: StepPlane): string {
  const bends = eigenvalues(plane.matrix);
  if (bends === null) return "";
  const { tikhonov } = plane;
  const [low, high] = [bends[0] + tikhonov, bends[1] + tikhonov];
  if (low < 0) {
    return (
      `C + λI curves down in one direction here (${formatMeasured(low, 2)}), so z* is not the lowest` +
      " point of the quadratic but a saddle or a top. A larger λ would lift it."
    );
  }
  const times = high / low;
  if (times < ROUND) {
    const drowned = tikhonov > Math.max(Math.abs(bends[0]), Math.abs(bends[1]));
    const cause = drowned
      ? `λ = ${formatSetting(tikhonov)} outweighs C (${pair(bends)})`
      : `C itself curves about equally in both directions (${pair(bends)})`;
    return `The quadratic is nearly round, since ${cause}: a step down the gradient already leads to z*.`;
  }
  if ((plane.change?.degrees ?? 0) < HARDLY) {
    return (
      `The quadratic is ${formatMeasured(times, 2)} times as steep in one direction as in the other, but the` +
      " gradient lies almost along one of its axes, so that there is little to turn."
    );
  }
  return (
    `The quadratic is a valley, ${formatMeasured(times, 2)} times as steep across as along: the` +
    " gradient points across it, the step to its lowest point."
  );
}

/** The half of the Newton step that an arm takes as a control; null for an arm that takes all. */
export function halfOf(own: Spec["arms"][number]): "length" | "direction" | null {
  const component = "component" in own ? own.component : "full";
  return component === "length" || component === "direction" ? component : null;
}

/** What stands before and after the name of an arm that takes one half of a Newton step. */
export function halfWords(
  half: "length" | "direction",
  { ratio, degrees }: StepChange,
): [string, string] {
  const long =
    ratio === null
      ? "without a length"
      : `${formatMeasured(ratio, 2)} times as long as the gradient`;
  const step = `Of a Newton step ${long}, turned by ${degreeText(degrees)},`;
  return half === "length"
    ? [step, "takes the length alone, along −g: nothing turns."]
    : [step, "takes the direction alone, as long as the gradient: nothing is rescaled."];
}

/** What of the step is left by the arm's optimizer. */
export function takenWords(own: Spec["arms"][number], { degrees }: StepChange): string {
  if (halfOf(own) !== null) return "";
  if (own.optimizer !== "adam" || degrees === null || degrees >= HARDLY) return "";
  return (
    "Adam cancels a length that all steps share. What is left of a rescaling shows at a spike:" +
    " where one gradient explodes, its step does not."
  );
}

function pair([low, high]: readonly [number, number]): string {
  return `${formatMeasured(low, 2)} and ${formatMeasured(high, 2)}`;
}

/** What a symbol is, with its numbers. */
export function symbolWords(symbol: Piece, plane: StepPlane, arm: Spec["arms"][number]): string {
  const bends = eigenvalues(plane.matrix);
  const norm = plane.gradient_norm ?? Number.NaN;
  switch (symbol) {
    case "y":
      return `y: the network's outputs for this sample, with a loss of ${formatMeasured(plane.value ?? Number.NaN)}; the dot.`;
    case "g":
      return `g: the gradient of this sample's loss, ${formatMeasured(norm)} long. Plain training steps along −g.`;
    case "C": {
      const of =
        arm.curvature === "fisher"
          ? "the empirical Fisher matrix of the batch, the mean of g gᵀ"
          : arm.hessian === "per_sample"
            ? "the Hessian of this sample's loss"
            : "the Hessian, averaged over the batch";
      const size = bends === null ? "" : ` It curves by ${pair(bends)} in this plane.`;
      return `C: ${of}.${size} The lines show its quadratic without λ.`;
    }
    case "lambda":
      return `λ = ${formatSetting(plane.tikhonov, 4)}: added to the curvature in every direction alike. It makes the quadratic rounder, and the step shorter.`;
    case "z":
      return plane.step === null
        ? "z*: there is none without a step."
        : `z*: where the quadratic has no slope, ${formatMeasured(Math.hypot(...finite(plane.step)))} from y. The network is trained towards it.`;
  }
}

function finite(pair: readonly (number | null)[]): number[] {
  return pair.map((value) => value ?? Number.NaN);
}

/** What a change of λ did: step size, and direction. */
export function redampingWords(
  { from, to }: Redamping,
  { ratio, degrees }: StepChange,
  optimizer: string,
): string {
  const lambda = `λ from ${formatSetting(from, 4)} to ${formatSetting(to, 4)}`;
  if (ratio === null || degrees === null) return `${lambda}: there is no step to compare.`;
  const size =
    ratio > 1 / 1.02 && ratio < 1.02
      ? "the step size is as before"
      : `the steps are ${formatMeasured(ratio, 3)} times as long (step size)`;
  const way =
    degrees < STILL
      ? "their direction is as before"
      : `they point ${degreeText(degrees)} away from before (direction)`;
  const adam =
    optimizer === "adam" && degrees < STILL
      ? " Adam cancels a length that all steps share, so little will change except at spikes."
      : optimizer === "adam"
        ? " Adam cancels a length that all steps share: the direction is what remains."
        : "";
  return `${lambda}: over the batch, ${size}, and ${way}.${adam}`;
}

/** Where the picture has gaps, and whether z* lies in one. */
export function gapWords(view: StepView, step: StepPlane["step"], task: string): string {
  if (!view.loss.some((row) => row.some((value) => value === null))) return "";
  const maps = task === "shortest_path";
  const why = maps ? "a cost would not be positive" : "the loss is not defined";
  const inGap = step !== null && valueNear(view, finite(step)) === null;
  return inGap ? `In the blank part ${why}, and z* lies in it.` : `In the blank part ${why}.`;
}

function valueNear({ a, b, loss }: StepView, [x = 0, y = 0]: number[]): number | null {
  const at = (axis: readonly number[], value: number): number =>
    axis.reduce(
      (best, one, index) =>
        Math.abs(one - value) < Math.abs((axis[best] ?? 0) - value) ? index : best,
      0,
    );
  return loss[at(b, y)]?.[at(a, x)] ?? null;
}

/** Why nothing can be computed, in the page's words. */
export function problemWords(problem: string, log: Pick<RunLog, "snapshots">): string {
  if (!/has left no snapshot|there is no snapshot/.test(problem)) return `No picture: ${problem}.`;
  return log.snapshots.length === 0
    ? "This run has left no snapshot yet; the picture comes with the first one."
    : "This run's snapshots are gone, and with them its weights: its curves stay, but no step can be computed any more. Train it again to see its steps.";
}

/** "update 1,001, with the weights of the nearest snapshot, step 1,000". */
export function placeWords({ step, samples, plane }: StepSeen): string {
  return (
    `sample ${formatCount(plane.sample + 1)} of the ${formatCount(samples)} of update` +
    ` ${formatCount(step + 1)}; weights of the nearest snapshot, step ${formatCount(step)}`
  );
}

/** An arm's largest spike, and how many it had. */
export interface WorstSpike {
  arm: number;
  step: number;
  /** Largest gradient over the usual one. */
  times: number;
  count: number;
}

/** The largest spike up to a step of every arm that had one; one that is not finite is largest. */
export function worstSpikes(log: Pick<RunLog, "arms">, step: number): WorstSpike[] {
  return log.arms.flatMap(({ spikes }, arm) => {
    const past = spikes.filter((spike) => spike.step <= step);
    let worst: WorstSpike | null = null;
    for (const spike of past) {
      const ratio = spike.norm / spike.median;
      const times = Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio;
      if (worst === null || times > worst.times) {
        worst = { arm, step: spike.step, times, count: past.length };
      }
    }
    return worst === null ? [] : [worst];
  });
}
