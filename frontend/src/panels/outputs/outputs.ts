/** The output-space picture: its question, its vectors, and what is said about them. Pure. */

import type { OutputLandscape, OutputQuery } from "../../api/landscapes";
import type { PlanePoint } from "../../charts/landscape";
import { formatCount, formatMeasured, formatSetting } from "../../format";
import { settingsAt } from "../../state/edit";
import type { RunLog } from "../../state/log";

type Spec = NonNullable<RunLog["spec"]>;
type Vector = OutputLandscape["slice"]["gradient"];
type Quadratic = OutputLandscape["slice"]["surrogates"][number];

/** Curvature and definiteness of the quadratic. */
export type Surrogate = "hessian raw" | "hessian clip" | "hessian saddle_free" | "fisher raw";

export const SURROGATES: Record<Surrogate, string> = {
  "hessian raw": "Hessian",
  "hessian clip": "Hessian, negative eigenvalues set to 0",
  "hessian saddle_free": "Hessian, negative eigenvalues turned positive",
  "fisher raw": "Fisher",
};

/** What the reader chose. Null: what fits the run. */
export interface OutputChoice {
  arm: number;
  /** Null: the mean of the batch, whose samples move together. */
  sample: number | null;
  kind: OutputQuery["kind"];
  first: number;
  second: number;
  surrogate: Surrogate | null;
  damped: boolean;
  span: number | null;
}

/** A question's answer with the choice that it answers: what is drawn never mixes two. */
export interface Shown {
  choice: OutputChoice;
  samples: number;
  found: OutputLandscape;
}

/** A quadratic as it is asked for, and where its damping comes from. */
export interface Damping {
  tikhonov: number;
  hessian: OutputQuery["surrogates"][number]["hessian"];
  /** "its own", "that of Fisher", "none of the arms has it". */
  whose: string;
}

const MOST_SAMPLES = 200;
const DEFAULT_TIKHONOV = 0.1;

/** The quadratic that an arm trains with; a vanilla arm's is that of the first one that has any. */
export function ownSurrogate(spec: Spec, arm: number): Surrogate {
  const arms = [spec.arms[arm], ...spec.arms];
  const found = arms.find((one) => one !== undefined && one.curvature !== "none");
  if (found === undefined) return "hessian raw";
  return found.curvature === "fisher" ? "fisher raw" : `hessian ${found.definiteness}`;
}

/** λ for a curvature: the arm's own at the step, else that of the first arm with the curvature. */
export function dampingOf(spec: Spec, arm: number, surrogate: Surrogate, step: number): Damping {
  const curvature = surrogate.split(" ")[0];
  const has = (index: number) => spec.arms[index]?.curvature === curvature;
  const from = has(arm) ? arm : spec.arms.findIndex((_, index) => has(index));
  const other = spec.arms[from];
  if (other === undefined) {
    const whose = "a common choice, as no arm has this curvature";
    return { tikhonov: DEFAULT_TIKHONOV, hessian: "batch_mean", whose };
  }
  return {
    tikhonov: settingsAt(spec, from, step).tikhonov,
    hessian: other.hessian,
    whose: from === arm ? "the arm's own" : `that of ${other.label}`,
  };
}

/** The question to the server. */
export function outputQuery(
  id: string,
  spec: Spec,
  step: number,
  choice: OutputChoice,
): OutputQuery {
  const surrogate = choice.surrogate ?? ownSurrogate(spec, choice.arm);
  const [curvature, definiteness] = surrogate.split(" ");
  const { tikhonov, hessian } = dampingOf(spec, choice.arm, surrogate, step);
  const { arm, sample, kind, first, second, span, damped } = choice;
  return {
    space: "outputs",
    run: id,
    step,
    arm,
    sample,
    samples: Math.min(spec.batch_size, MOST_SAMPLES),
    // The mean costs a whole batch at every point.
    points: sample === null ? 31 : 61,
    kind,
    first,
    second,
    span,
    surrogates: [
      { curvature, tikhonov, hessian, definiteness } as OutputQuery["surrogates"][number],
    ],
    damped,
  };
}

/** "the tile at row 3, column 4", "output 2 (4,821)". */
export function outputName(
  found: Pick<OutputLandscape, "shape" | "sample">,
  index: number,
): string {
  const [, columns] = found.shape;
  if (columns !== undefined) {
    const row = Math.floor(index / columns) + 1;
    return `the tile at row ${formatCount(row)}, column ${formatCount((index % columns) + 1)}`;
  }
  const value = found.sample.values?.[index];
  const shown = value === undefined ? "" : ` (${value})`;
  return `output ${formatCount(index + 1)}${shown}`;
}

/** Titles of the axes: which way each direction goes. */
export function axisTitles(
  choice: Pick<OutputChoice, "kind" | "first" | "second">,
  found: Pick<OutputLandscape, "shape" | "sample">,
): [string, string] {
  if (choice.kind === "newton") return ["along the gradient, uphill to the right", "across it"];
  if (choice.kind === "eigenvectors") return ["first eigenvector", "second eigenvector"];
  const change = (index: number) => `change of ${outputName(found, index)}`;
  return [change(choice.first), change(choice.second)];
}

/** What the two directions are, where the axes' titles do not say all of it. */
export function planeWords(kind: OutputQuery["kind"], surrogate: Surrogate): string {
  const name = surrogate.startsWith("hessian") ? "Hessian" : "Fisher matrix";
  if (kind === "newton") {
    return "The plane holds the gradient and the Newton direction: across is what the second adds.";
  }
  if (kind === "eigenvectors") {
    return `The plane of the ${name}'s two eigenvectors with the largest eigenvalues in size.`;
  }
  return "All other outputs stay as they are.";
}

/** "3.2 long, 0.4 of that within this plane": a vector as the plane shows it. */
export function arrowWords({ length, components: [a, b], outside }: Vector): string {
  if (length === null || a === null || b === null || outside === null) return "not finite";
  const seen = outside < 0.005 ? "all" : formatMeasured(Math.hypot(a, b), 2);
  return `${formatMeasured(length)} long, ${seen} of that within this plane`;
}

/** Which quadratic is drawn, its λ and where that comes from. */
export function quadraticWords(
  surrogate: Surrogate,
  damping: Damping,
  damped: boolean,
  samples: number,
): string {
  const mean = surrogate === "fisher raw" || damping.hessian === "batch_mean";
  const of = mean ? `of a batch of ${formatCount(samples)}` : "of each sample by itself";
  const lambda = `λ = ${formatSetting(damping.tikhonov)} (${damping.whose})`;
  const [name, ...rule] = SURROGATES[surrogate].split(", ");
  const made = rule.length === 0 ? "" : `, ${rule.join(", ")}`;
  return (
    `the quadratic with the loss's value and gradient here and the ${name} ${of}${made};` +
    (damped ? ` ${lambda} on its diagonal` : ` ${lambda} is left out of it, but not of z*`)
  );
}

/** Where z* is, or why there is none. */
export function targetWords(quadratic: Quadratic, reach: number): string {
  if (quadratic.target === null || quadratic.direction === null) {
    return `There is no z*: ${quadratic.problem ?? "the quadratic has no lowest place"}.`;
  }
  const seen = quadratic.target.every((value) => value !== null && Math.abs(value) <= reach);
  return (
    `to z*, ${arrowWords(quadratic.direction)}` +
    (seen ? "" : "; z* is off the picture: take a larger range")
  );
}

/** The eigenvalues on the plane; whether z* is a saddle there. */
export function crossWords({ eigenvalues }: Quadratic, tikhonov: number): string {
  const words = eigenvalues.map((value) => formatMeasured(value ?? Number.NaN)).join(" and ");
  const least = eigenvalues[0];
  const saddle = least !== null && least + tikhonov < 0;
  return (
    `curvature of the quadratic within this plane, without λ: ${words}` +
    (saddle ? "; with λ it still bends down one way, so that z* is a saddle, no lowest place" : "")
  );
}

/** What makes a sampled loss look as it does; empty for other losses. */
export function noiseWords(loss: Record<string, unknown>, sample: number | null): string {
  if (typeof loss.samples !== "number") return "";
  const each = sample === null ? " for each map" : "";
  const kept =
    `The loss is estimated from ${formatCount(loss.samples)} noise samples${each},` +
    " the same ones at every point of the picture.";
  if (loss.name === "perturbed_fy") {
    return `${kept} With them its gradient is exact, its Hessian an estimate.`;
  }
  return (
    `${kept} It changes in steps, where the path of a sample changes; gradient and quadratic are` +
    " estimates, from the same samples, of the loss averaged over all noise."
  );
}

/** Where an arrow down the gradient ends: its own length, or `reach` where it is longer. */
export function slopeOf([a, b]: PlanePoint, reach: number): PlanePoint {
  const length = Math.hypot(a, b);
  const scale = length > reach ? reach / length : 1;
  return [-a * scale, -b * scale];
}

/** The eigenvector cross: each arm as long as its eigenvalue's share of the larger one. */
export function crossOf(
  surrogate: Pick<Quadratic, "eigenvalues" | "eigenvectors">,
  reach: number,
): PlanePoint[][] {
  const sizes = surrogate.eigenvalues.map((value) => Math.abs(value ?? 0));
  const largest = Math.max(...sizes);
  if (largest === 0) return [];
  return surrogate.eigenvectors.flatMap(([a, b], index): PlanePoint[][] => {
    if (a === null || b === null) return [];
    const length = (reach * (sizes[index] ?? 0)) / largest;
    return [
      [
        [-a * length, -b * length],
        [a * length, b * length],
      ],
    ];
  });
}

/** Two places worth varying: a third and two thirds along the true path, or the first two outputs. */
export function firstOutputs(
  found: Pick<OutputLandscape, "shape" | "sample"> | null,
): [number, number] {
  const path = found?.sample.true_path ?? [];
  const columns = found?.shape[1];
  const at = (share: number): number => {
    const tile = path[Math.floor(path.length * share)];
    return tile === undefined || columns === undefined ? -1 : tile[0] * columns + tile[1];
  };
  const [first, second] = [at(1 / 3), at(2 / 3)];
  return first < 0 || first === second ? [0, 1] : [first, second];
}
