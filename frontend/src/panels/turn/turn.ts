/** How far curvature can turn a gradient, in numbers and words. Pure. */

import type { TurnAnswer } from "../../api/landscapes";
import type { ArmSpec } from "../../api/types";
import { formatMeasured, significant } from "../../format";

export type TurnCurve = TurnAnswer["curves"][number];

export const NAMES: Record<TurnCurve["curvature"], string> = {
  hessian: "Hessian",
  fisher: "Fisher",
};

/** Dampings as shares of the largest eigenvalue: the axis that all curves share. */
export function sharesOf(curve: TurnCurve): number[] {
  return curve.tikhonov.map((tikhonov) => tikhonov / curve.largest);
}

/** The curve's point nearest to a damping; null where it lies outside of the curve. */
export function pointAt(curve: TurnCurve, tikhonov: number): { x: number; y: number } | null {
  const [lowest = 0] = curve.tikhonov;
  const highest = curve.tikhonov.at(-1) ?? 0;
  if (tikhonov < lowest || tikhonov > highest) return null;
  const away = (value: number): number => Math.abs(Math.log(value / tikhonov));
  let nearest = 0;
  curve.tikhonov.forEach((value, index) => {
    if (away(value) < away(curve.tikhonov[nearest] ?? 0)) nearest = index;
  });
  const y = curve.degrees[nearest] ?? null;
  return y === null ? null : { x: tikhonov / curve.largest, y };
}

/** The damping that an arm adds to this curvature; null where it does not, or a rule sets it. */
export function ownDamping(arm: ArmSpec, curve: TurnCurve, tikhonov: number): number | null {
  const fixed = (arm.tikhonov_rule ?? "fixed") === "fixed";
  return arm.curvature === curve.curvature && fixed ? tikhonov : null;
}

/** Up to here a turn makes no difference that training shows. */
const SMALL = 5;

/** What the curves say: how far each curvature turns the gradient, and why not further. */
export function turnWords(curves: readonly TurnCurve[]): string {
  return curves
    .map((curve) => {
      const angles = curve.degrees.filter((angle) => angle !== null);
      if (angles.length === 0) return `${NAMES[curve.curvature]}: the gradient has vanished.`;
      const most = Math.max(...angles);
      const condition = curve.complement_condition;
      const why =
        condition === null
          ? "its condition is infinite, even without the directions that the loss never feels"
          : `its condition is ${formatMeasured(condition, 3)}, without the directions that the loss never feels`;
      const verdict = most < SMALL ? "it can rescale the gradient, hardly turn it" : why;
      const detail = most < SMALL ? `${verdict}: ${why}` : verdict;
      return `${NAMES[curve.curvature]}: up to ${significant(most, 3, true)}°; ${detail}.`;
    })
    .join(" ");
}
