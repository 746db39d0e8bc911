/** The distribution of per-sample gradient norms over training, as a heat map an arm. */

import { countUpToStep } from "../state/column";
import { sampleCount } from "../state/health";
import type { ArmLog, CurvaturePoint } from "../state/log";
import { type AxisPlan, decade, drawable, placeOn, type Tick, type ValueAxis } from "./axes";
import { thin } from "./evenly";
import type { PlotlyTrace } from "./plotly";
import { xOf } from "./series";
import { prototype, withAlpha } from "./templates";
import { lookOf, type View } from "./view";

const MOST_COLUMNS = 240;

type Histogram = CurvaturePoint["gradientNorms"];

interface Bins {
  /** Bins with samples in them at any time, `[from, to)`. */
  from: number;
  to: number;
  edges: number[];
  zero: boolean;
  notFinite: boolean;
}

function shownOf(view: View, arm: ArmLog): CurvaturePoint[] {
  return arm.curvature.slice(0, countUpToStep(arm.curvature, view.cursor));
}

function binsOf(view: View, arms: readonly ArmLog[]): Bins {
  const bins: Bins = {
    from: Number.POSITIVE_INFINITY,
    to: 0,
    edges: [],
    zero: false,
    notFinite: false,
  };
  for (const arm of arms) {
    for (const { gradientNorms: norms } of shownOf(view, arm)) {
      bins.edges = norms.log10_edges;
      if (norms.zero > 0) bins.zero = true;
      if (norms.non_finite > 0) bins.notFinite = true;
      norms.counts.forEach((count, bin) => {
        if (count === 0) return;
        bins.from = Math.min(bins.from, bin);
        bins.to = Math.max(bins.to, bin + 1);
      });
    }
  }
  if (bins.from >= bins.to) return { ...bins, from: 0, to: bins.edges.length - 1 };
  return bins;
}

/** Exponents of ten upwards; zero has a row below them, what is not finite one above. */
export function heatAxis(view: View, arms: readonly ArmLog[]): ValueAxis {
  const bins = binsOf(view, arms);
  const [low, high] = spanOf(bins);
  const row = 0.5;
  const range: [number, number] = [
    low - (bins.zero ? 2 * row : 0.1),
    high + (bins.notFinite ? 2 * row : 0.1),
  ];
  const ticks: Tick[] = [];
  const stride = Math.max(1, Math.ceil((high - low) / 4));
  for (let k = Math.ceil(low / stride) * stride; k <= high; k += stride) {
    ticks.push({ value: k, text: decade(k).text });
  }
  if (bins.zero) ticks.unshift({ value: low - 1.5 * row, text: "0" });
  if (bins.notFinite) ticks.push({ value: high + 1.5 * row, text: "∞" });
  const plan: AxisPlan = { log: false, range, ticks, floor: null };
  return placeOn(plan, (value) => (value > 0 ? Math.log10(value) : low - 1.5 * row));
}

function spanOf(bins: Bins): [number, number] {
  return [bins.edges[bins.from] ?? -1, bins.edges[bins.to] ?? 1];
}

/** Shares of an arm's samples by norm (rows) and evaluation (columns); none is left blank. */
export function heatTrace(view: View, arm: ArmLog, index: number, x: AxisPlan): PlotlyTrace | null {
  const shape = prototype(view.template, "heat");
  const points = thin(shownOf(view, arm), MOST_COLUMNS);
  const main = view.layers.find((layer) => layer.kind === "main");
  if (shape === undefined || main === undefined || points.length === 0) return null;
  const bins = binsOf(view, main.log.arms);
  const [low, high] = spanOf(bins);
  const z: (number | null)[][] = [];
  const y: number[] = [];
  const addRow = (at: number, count: (norms: Histogram) => number): void => {
    y.push(at);
    z.push(points.map(({ gradientNorms: norms }) => count(norms) / sampleCount(norms) || null));
  };
  if (bins.zero) addRow(low - 0.75, (norms) => norms.zero);
  for (let bin = bins.from; bin < bins.to; bin += 1) {
    const middle = ((bins.edges[bin] ?? 0) + (bins.edges[bin + 1] ?? 0)) / 2;
    addRow(middle, (norms) => norms.counts[bin] ?? 0);
  }
  if (bins.notFinite) addRow(high + 0.75, (norms) => norms.non_finite);
  const { colour } = lookOf(view, index);
  return {
    ...shape,
    meta: { arm: index, metric: view.choice.metric, role: "heat" },
    x: points.map((point) => drawable(x, xOf(arm, point.step, view.x))),
    y,
    z,
    zmax: 1,
    ygap: 1,
    // Small shares are what the picture is for: half of the ink is spent on the first fifth.
    colorscale: [
      [0, withAlpha(colour, 0.12)],
      [0.2, withAlpha(colour, 0.6)],
      [1, withAlpha(colour, 1)],
    ],
    hoverinfo: "skip",
    hovertemplate: "",
  };
}
