/** What the walk pages share: looks, points, words. Pure. */

import type { WalkRecord } from "../../api/surfaces";
import type { Heights, PlanePoint } from "../../charts/heights";
import type { Palette } from "../../charts/templates";
import { formatMeasured } from "../../format";
import { dashOf } from "../../state/arms";

type Row = (number | null | undefined)[];

/** The look of a walk: its place in the palette, beginning with grey for plain descent. */
export function walkLook(palette: Palette, index: number): { colour: string; dash: string } {
  const arm = palette.arms[index % palette.arms.length];
  return { colour: arm?.color ?? palette.ink, dash: dashOf(index) };
}

/** The walk's points up to a step; it ends where it stops being finite. */
export function pointsUpTo(walk: WalkRecord, step: number): PlanePoint[] {
  const points: PlanePoint[] = [];
  for (const [a, b] of walk.path.slice(0, step + 1)) {
    if (a === null || b === null) break;
    points.push([a, b]);
  }
  return points;
}

/** Norm below which a gradient moves nothing that anyone could see: the server's own. */
const VANISHED = 1e-6;

/** How a walk over three scores stands at a step, in words. */
export function outcomeWords(walk: WalkRecord, step: number): string {
  const { arrived = -1 } = walk;
  if (arrived >= 0 && step >= arrived) return `sorted from step ${arrived} on`;
  if (walk.outcome === "ended" && step >= walk.ended) return "ended: no longer finite";
  const norm = walk.gradient_norms[step];
  if (walk.outcome === "stuck" && norm != null && norm < VANISHED) {
    return "stuck: the gradient has vanished";
  }
  return "not sorted yet, still moving";
}

/** How good a quadratic's promise was: predicted against actual decrease. */
export function trustWords(walk: WalkRecord, step: number): string {
  if (walk.problem !== null && step >= walk.ended) return walk.problem;
  const predicted = walk.predicted[step];
  const actual = walk.actual[step];
  if (predicted == null || actual == null) return "";
  const trust = walk.trust[step];
  const ratio = trust == null ? "" : `, trust ${formatMeasured(trust)}`;
  return `promised ${formatMeasured(predicted)}, got ${formatMeasured(actual)}${ratio}`;
}

/** The quadratic that a method believes in at a step, on a picture's grid; null if there is none. */
export function quadraticHeights(walk: WalkRecord, step: number, on: Heights): Heights | null {
  const [x, y] = walk.path[step] ?? [null, null];
  const value = walk.values[step];
  const [slopeX, slopeY] = walk.gradients[step] ?? [null, null];
  const [[p, q], [, s]] = (walk.curvatures[step] ?? [[], []]) as [Row, Row];
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

/** "-1.5" as a number; null where it is none. */
export function numberIn(text: string): number | null {
  const value = Number(text.trim().replace("−", "-").replace(",", "."));
  return text.trim() === "" || !Number.isFinite(value) ? null : value;
}
