/** Eigenvalues over training, as a fan of lines: one an eigenvalue, or a quantile of many. */

import { countUpToStep } from "../state/column";
import type { ArmLog, CurvaturePoint } from "../state/log";
import {
  type AxisPlan,
  decade,
  drawable,
  EMPTY,
  type Extent,
  extend,
  placeOn,
  type Tick,
  type ValueAxis,
  yPlan,
} from "./axes";
import { plotBox } from "./layout";
import type { PlotlyTrace } from "./plotly";
import { xOf } from "./series";
import { prototype } from "./templates";
import { lookOf, MOST_POINTS, type View } from "./view";

const MOST_LINES = 12;
const QUANTILES = [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1];
/** Decades shown below the largest value of each arm, before the axis turns linear around zero. */
const DECADES = 4;
/** Decades in all: beyond, arms lie too far apart for one axis. */
const MOST_DECADES = 14;

function recordOf(view: View): "hessian" | "fisher" {
  return view.choice.metric.startsWith("fisher") ? "fisher" : "hessian";
}

/**
 * The axis of signed values. Logarithmic: sign(v) log10(1 + |v| / c), linear within c of zero.
 * c is four decades below the largest value of the calmest arm, so that another arm's explosion
 * does not press it flat.
 */
export function fanAxis(view: View, arms: readonly ArmLog[]): ValueAxis {
  let extent = EMPTY;
  let calmest = Number.POSITIVE_INFINITY;
  for (const arm of arms) {
    let own = EMPTY;
    for (const point of shownOf(view, arm)) {
      own = extend(own, point[recordOf(view)]?.eigenvalues ?? []);
    }
    const largest = largestOf(own);
    if (largest > 0) calmest = Math.min(calmest, largest);
    extent = extend(extent, [own.low, own.high]);
  }
  if (!view.yLog) return placeOn(yPlan(extent, false, [null, null], 3), (value) => value);
  if (extent.low > extent.high) extent = { low: 0, high: 1, positive: 1 };
  const top = decadeOf(largestOf(extent) || 1);
  const calm = decadeOf(Math.min(calmest, 10 ** top));
  const bottom = Math.max(calm - DECADES, top - MOST_DECADES);
  const linear = 10 ** bottom;
  const squash = (value: number): number =>
    Math.sign(value) * Math.log10(1 + Math.abs(value) / linear);
  const low = extent.low < 0 ? squash(extent.low) - 0.2 : -0.2;
  const high = extent.high > 0 ? squash(extent.high) + 0.2 : 0.2;
  const plan: AxisPlan = {
    log: false,
    range: [low, high],
    ticks: signedTicks(bottom, top, low, high, squash, plotBox(view, 0).height / view.scale),
    floor: null,
  };
  return placeOn(plan, squash);
}

function largestOf(extent: Extent): number {
  return extent.low > extent.high ? 0 : Math.max(Math.abs(extent.low), Math.abs(extent.high));
}

function decadeOf(value: number): number {
  return Math.floor(Math.log10(value) + 1e-9);
}

function signedTicks(
  bottom: number,
  top: number,
  low: number,
  high: number,
  squash: (value: number) => number,
  height: number,
): Tick[] {
  const ticks: Tick[] = [{ value: 0, text: "0" }];
  const stride = Math.max(2, Math.ceil((high - low) / 5));
  for (let k = top; k > bottom; k -= stride) {
    for (const sign of [1, -1]) {
      const value = squash(sign * 10 ** k);
      if (value > low && value < high) {
        ticks.push({ value, text: `${sign < 0 ? "−" : ""}${decade(k).text}` });
      }
    }
  }
  const apart = (14 * (high - low)) / height;
  const clear = (tick: Tick): boolean => tick.value === 0 || Math.abs(tick.value) >= apart;
  return ticks.filter(clear).sort((a, b) => a.value - b.value);
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

/** At most `limit` records, evenly, with the first and the last. */
export function thin<T>(records: readonly T[], limit: number): T[] {
  if (records.length <= limit) return [...records];
  return Array.from(
    { length: limit },
    (_, place) => records[Math.round((place * (records.length - 1)) / (limit - 1))] as T,
  );
}
