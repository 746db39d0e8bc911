/** Eigenvalues over training, as a fan of lines: one an eigenvalue, or a quantile of many. */

import { countUpToStep } from "../state/column";
import type { ArmLog, CurvaturePoint } from "../state/log";
import {
  type AxisPlan,
  drawable,
  EMPTY,
  extend,
  joined,
  placeOn,
  type ValueAxis,
  yPlan,
} from "./axes";
import { thin } from "./evenly";
import { plotBox } from "./layout";
import type { PlotlyTrace } from "./plotly";
import { xOf } from "./series";
import { signedAxis } from "./signedLog";
import { prototype } from "./templates";
import { lookOf, MOST_POINTS, type View } from "./view";

const MOST_LINES = 12;
const QUANTILES = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1];
/** Pixels that a tick's text needs. */
const TICK_ROOM = 16;

function recordOf(view: View): "hessian" | "fisher" {
  return view.choice.metric.startsWith("fisher") ? "fisher" : "hessian";
}

/** The axis of signed values that all arms share; logarithmic, it is made for the calmest arm. */
export function fanAxis(view: View, arms: readonly ArmLog[]): ValueAxis {
  const extents = arms.map((arm) => {
    let extent = EMPTY;
    for (const point of shownOf(view, arm)) {
      extent = extend(extent, point[recordOf(view)]?.eigenvalues ?? []);
    }
    return extent;
  });
  if (!view.yLog) {
    return placeOn(yPlan(joined(extents), false, [null, null], 3), (value) => value);
  }
  const height = plotBox(view, 0).height / view.scale;
  const { plan, transform } = signedAxis(extents, height / TICK_ROOM);
  return placeOn(plan, transform);
}

function shownOf(view: View, arm: ArmLog): readonly CurvaturePoint[] {
  return arm.curvature.slice(0, countUpToStep(arm.curvature, view.cursor));
}

/** All of an arm's lines as one trace, with gaps between them. */
export function fanTrace(
  view: View,
  arm: ArmLog,
  index: number,
  x: AxisPlan,
  axis: ValueAxis,
): PlotlyTrace | null {
  const shape = prototype(view.template, "fan");
  const which = recordOf(view);
  const points = shownOf(view, arm).filter((point) => point[which] !== null);
  const count = points[0]?.[which]?.eigenvalues.length ?? 0;
  if (shape === undefined || count === 0) return null;
  const ranks = ranksOf(count);
  const columns = thin(points, Math.floor(MOST_POINTS / ranks.length) - 1);
  const xs: number[] = [];
  const ys: number[] = [];
  const [start, end] = axis.plan.range;
  for (const rank of ranks) {
    for (const point of columns) {
      const value = point[which]?.eigenvalues[rank] ?? Number.NaN;
      xs.push(drawable(x, xOf(arm, point.step, view.x)));
      ys.push(start + axis.place(value) * (end - start));
    }
    xs.push(Number.NaN);
    ys.push(Number.NaN);
  }
  const { colour } = lookOf(view, index);
  return {
    ...shape,
    meta: { arm: index, metric: view.choice.metric, role: "fan" },
    x: Float64Array.from(xs),
    y: Float64Array.from(ys),
    line: { ...(shape.line as object), color: colour },
    hoverinfo: "skip",
    hovertemplate: "",
  };
}

/** Which of `count` ascending eigenvalues get a line. */
export function ranksOf(count: number): number[] {
  if (count <= MOST_LINES) return Array.from({ length: count }, (_, rank) => rank);
  return QUANTILES.map((share) => Math.round(share * (count - 1)));
}
