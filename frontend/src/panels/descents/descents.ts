/** What the descent pages share: looks, points, words. Pure. */

import type { Descent, ThreeDescent, Method as Walker } from "../../api/descents";
import { type Landscape, type PlanePoint, pointAt } from "../../charts/landscape";
import type { Line } from "../../charts/lines";
import type { PlanePath } from "../../charts/plane";
import type { Palette } from "../../charts/templates";
import { formatMeasured } from "../../format";
import { type Method, methodStyle } from "../../state/arms";
import { vocabulary } from "../../state/vocabulary";

type Row = (number | null | undefined)[];

/** The look of a method, the same on every page. */
export function descentLook(palette: Palette, method: Method) {
  const { slot, dash, marker } = methodStyle(method);
  const { color = palette.ink, ink = palette.ink } = palette.arms[slot] ?? {};
  return { colour: color, ink, dash, marker };
}

/** Whose look a descent has: plain descent is vanilla. */
export function methodOf({ method, curvature, definiteness }: Walker): Method {
  if (method === "gradient_descent") return "vanilla";
  if (method !== "newton") return method;
  if (curvature === "fisher") return curvature;
  if (definiteness === "clip") return "hessian_clip";
  return definiteness === "saddle_free" ? definiteness : "hessian";
}

/** The descent's points up to a step; it ends where it stops being finite. */
export function pointsUpTo(descent: Descent, step: number): PlanePoint[] {
  const points: PlanePoint[] = [];
  for (const place of descent.path.slice(0, step + 1)) {
    const point = pointAt(...place);
    if (point === null) break;
    points.push(point);
  }
  return points;
}

/** How a descent over three scores stands at a step, in words. */
export function outcomeWords(descent: ThreeDescent, step: number): string {
  const { arrived } = descent;
  if (arrived >= 0 && step >= arrived) return `sorted from step ${arrived} on`;
  if (descent.outcome === "ended" && step >= descent.ended) return "ended: no longer finite";
  const norm = descent.gradient_norms[step];
  if (descent.outcome === "stuck" && norm != null && norm < vocabulary.value.thresholds.vanishing) {
    return "stuck: the gradient has vanished";
  }
  return "not sorted yet, still moving";
}

/** How good the promise of the quadratic at this point is: predicted against actual decrease. */
export function trustWords(descent: Descent, step: number): string {
  if (descent.problem !== null && step >= descent.ended) return descent.problem;
  const predicted = descent.predicted[step];
  const actual = descent.actual[step];
  if (predicted == null || actual == null) return "";
  const trust = descent.trust[step];
  const ratio = trust == null ? "" : `, ratio ${formatMeasured(trust)}`;
  return `next step: predicted decrease ${formatMeasured(predicted)}, actual ${formatMeasured(actual)}${ratio}`;
}

/** The quadratic that a method believes in at a step, on a picture's grid; null if there is none. */
export function quadraticLandscape(
  descent: Descent,
  step: number,
  on: Landscape,
): Landscape | null {
  const [x, y] = descent.path[step] ?? [null, null];
  const value = descent.values[step];
  const [slopeX, slopeY] = descent.gradients[step] ?? [null, null];
  const [[p, q], [, s]] = (descent.curvatures[step] ?? [[], []]) as [Row, Row];
  const parts = [x, y, value, slopeX, slopeY, p, q, s];
  if (parts.some((part) => part === null || part === undefined)) return null;
  const [x0, y0, v, gx, gy, pp, qq, ss] = parts as number[] as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const at = (a: number, b: number): number => {
    const [dx, dy] = [a - x0, b - y0];
    return v + gx * dx + gy * dy + (pp * dx * dx + 2 * qq * dx * dy + ss * dy * dy) / 2;
  };
  return { x: on.x, y: on.y, values: on.y.map((b) => on.x.map((a) => at(a, b))) };
}

/** The descents up to a step, as a picture of a surface or a plane draws them. */
export function pathsUpTo(
  palette: Palette,
  walks: readonly Descent[],
  methods: readonly Method[],
  step: number,
): PlanePath[] {
  return walks.map((descent, index) => ({
    points: pointsUpTo(descent, step),
    look: descentLook(palette, methods[index] ?? "vanilla"),
    here: true,
    name: descent.label,
  }));
}

/** What `valuesOf` takes from each descent, as lines over the steps. */
export function linesOf<T extends Descent>(
  palette: Palette,
  walks: readonly T[],
  methods: readonly Method[],
  valuesOf: (descent: T) => Line["y"],
): Line[] {
  return walks.map((descent, index) => ({
    x: valuesOf(descent).map((_, step) => step),
    y: valuesOf(descent),
    name: descent.label,
    ...descentLook(palette, methods[index] ?? "vanilla"),
  }));
}
