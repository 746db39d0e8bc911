/** What a gradient field shows: where the gradient explodes, what damps it, where a step flips. Pure. */

import type { GradientCurve, GradientsAnswer } from "../../api/descents";
import { formatMeasured } from "../../format";

type Field = GradientsAnswer["field"];
type Flip = GradientCurve["flips"][number];

/** Flips that are named in the picture: those at least so wide, as a share of its range. */
const NOTED = 0.012;
/** How many are named in words. */
const MOST_WORDS = 3;
/** A λ that would leave no step to speak of. */
const LARGE = 1e4;

const STEPS: Record<string, string> = { hessian: "the Hessian step", fisher: "the Fisher step" };

/** "At x₁ = 3.7 the raw gradient is 15,000 long; the Fisher step is 3e-5 long there." */
export function dampingWords({ field, numerics }: GradientsAnswer): string {
  const [raw, ...steps] = field.curves;
  if (raw === undefined) return "";
  const at = raw.norm.reduce<number>(
    (best, norm, index) => ((norm ?? 0) > (raw.norm[best] ?? 0) ? index : best),
    0,
  );
  const size = (curve: GradientCurve): string => formatMeasured(curve.norm[at] ?? Number.NaN, 2);
  const place = formatMeasured(field.scores[at] ?? 0, 2);
  const damped = steps.map((curve) => `${STEPS[curve.name] ?? curve.name} ${size(curve)}`);
  const exploded = raw.regions.some((region) => region.kind !== "vanishing");
  const exact = numerics?.curves.find((curve) => curve.name === "log_domain float32");
  const rounding =
    exploded && exact !== undefined && (exact.norm[at] ?? 0) < (raw.norm[at] ?? 0) / 10
      ? ` Computed exactly it is ${size(exact)}: the explosion is rounding.`
      : "";
  const verb = exploded ? "explodes: it is" : "is longest:";
  return `At x₁ = ${place} the raw gradient ${verb} ${size(raw)} long; ${damped.join(", ")}.${rounding}`;
}

/** The stretches where the Hessian's step has the other sign than the gradient. */
export function flipsOf(curves: readonly GradientCurve[]): readonly Flip[] {
  return curves.find((curve) => curve.name === "hessian")?.flips ?? [];
}

/** Those wide enough for words in the picture; the widest, where none is. */
export function notedFlips({ scores, curves }: Field): readonly Flip[] {
  const range = (scores.at(-1) ?? 1) - (scores[0] ?? 0);
  const widest = flipsOf(curves).toSorted((a, b) => b.last - b.first - (a.last - a.first));
  const wide = widest.filter((flip) => flip.last - flip.first >= NOTED * range);
  return wide.length > 0 ? wide : widest.slice(0, 1);
}

/** Why a step flips, at its place. */
export function flipNote({ lowest }: Flip): string {
  return lowest !== null && lowest < 0
    ? `C + λI bends down (${formatMeasured(lowest, 2)})`
    : "coupled with other scores";
}

/** Why the Hessian line flips, in a sentence. */
export function flipWords(field: Field): string {
  const flips = flipsOf(field.curves);
  if (flips.length === 0) return "";
  const down = flips.filter(({ lowest }) => lowest !== null && lowest < 0);
  const range = ({ first, last }: Flip): string =>
    first === last
      ? formatMeasured(first, 2)
      : `${formatMeasured(first, 2)} to ${formatMeasured(last, 2)}`;
  const shown = (some: readonly Flip[]): string => {
    const more = some.length > MOST_WORDS ? ` and ${some.length - MOST_WORDS} more` : "";
    return `${some.slice(0, MOST_WORDS).map(range).join(", ")}${more}`;
  };
  if (down.length === 0) {
    return (
      `The Hessian line flips at x₁ = ${shown(flips)}: C couples x₁ with the other scores, so that` +
      " this one entry turns, while the step as a whole still goes down."
    );
  }
  const deepest = Math.min(...down.map(({ lowest }) => lowest ?? 0));
  const tikhonov = field.curves.find((curve) => curve.name === "hessian")?.settings?.tikhonov ?? 0;
  const enough = tikhonov - deepest;
  const rule = "a rule that leaves no eigenvalue below zero (clip, saddle-free)";
  const remedy =
    enough < LARGE ? `A λ above ${formatMeasured(enough, 2)}, or ${rule},` : `Only ${rule}`;
  return (
    `The Hessian line flips at x₁ = ${shown(down)}: there C + λI has an eigenvalue below zero (down` +
    ` to ${formatMeasured(deepest, 2)}), the quadratic bends down that way, and the step climbs to its` +
    ` top or saddle. ${remedy} keeps it from that. The Fisher matrix has none below zero.`
  );
}
