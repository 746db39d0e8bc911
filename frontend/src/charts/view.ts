/** What a chart is asked to show, and the curves that follow from it. Pure: no DOM, no Plotly. */

import type { ArmStyle } from "../state/arms";
import { armName } from "../state/arms";
import { ColumnBuffer, countUpToStep } from "../state/column";
import type { Thresholds } from "../state/health";
import type { ArmLog, RunLog } from "../state/log";
import { overSeeds } from "./overSeeds";
import { type Series, seriesOf, stepAt, xOf } from "./series";
import { smoothed } from "./smooth";
import type { Choice, Palette, Template } from "./templates";

/** Most points of a trace, whatever the width of the chart. */
export const MOST_POINTS = 2000;

/** A run on the charts: the page's own, the one it was forked from, or one laid over it. */
export interface Layer {
  log: RunLog;
  kind: "main" | "ghost" | "overlay";
  /** Added to the arms' names; empty for the page's own run. */
  name: string;
  /** Runs of other seeds: with them, curves show the mean of all. */
  seeds?: readonly RunLog[];
}

/** Ranges that the reader has zoomed to, in Plotly's terms; null: all. */
export interface Zoom {
  x: [number, number] | null;
  y: [number, number] | null;
}

/** Everything that a figure depends on. */
export interface View {
  template: Template;
  choice: Choice;
  layers: readonly Layer[];
  styles: readonly ArmStyle[];
  palette: Palette;
  cursor: number;
  x: "step" | "seconds";
  xLog: boolean;
  yLog: boolean;
  /** Width of the running mean, in logged points; 1: raw values alone. */
  smoothing: number;
  thresholds: Thresholds;
  zoom: Zoom;
  /** The container, in CSS pixels. */
  width: number;
  height: number;
  /** Size of text relative to the page's usual one (larger on a projector). */
  scale: number;
}

/** How an arm looks: `colour` for lines, `ink` for text. */
export interface Look {
  colour: string;
  ink: string;
  dash: string;
  marker: string;
}

/** One arm of one layer. */
export interface Curve extends Look {
  layer: Layer;
  /** Index of the arm in its run. */
  arm: number;
  log: ArmLog;
  label: string;
  /** Which of an arm's curves it is, where a chart has several of one arm; else empty. */
  part: string;
  series: Series;
  /** What the main line shows: the running mean, or the values themselves. */
  line: Series["y"];
  /** How many of the series' points are at or before the cursor. */
  shown: number;
}

/** Every curve of the view that has data; overlays and ghosts come first, so they lie beneath. */
export function curvesOf(view: View): Curve[] {
  const rank = { ghost: 0, overlay: 1, main: 2 };
  const ordered = [...view.layers].sort((a, b) => rank[a.kind] - rank[b.kind]);
  return ordered.flatMap((layer) =>
    layer.log.arms.flatMap((_, arm) => {
      const curve = curveOf(view, layer, arm);
      return curve === null ? [] : [curve];
    }),
  );
}

/** Evaluations are few and each is a mean over the test set already: they are never smoothed. */
export function isSmoothed({ choice, smoothing }: Pick<View, "choice" | "smoothing">): boolean {
  return choice.source === "metrics" && smoothing > 1;
}

function curveOf(view: View, layer: Layer, arm: number): Curve | null {
  const log = layer.log.arms[arm];
  if (log === undefined) return null;
  const found = lineOf(view, layer.log, arm);
  if (found === null) return null;
  const { series, line } = layer.seeds === undefined ? found : meanOf(view, layer, arm, found);
  return {
    layer,
    arm,
    log,
    label: [armName(layer.log.spec?.arms, arm), layer.name].filter(Boolean).join(" · "),
    part: "",
    ...lookOf(view, arm),
    series,
    line,
    shown: layer.kind === "ghost" ? series.steps.length : series.steps.countUpTo(view.cursor),
  };
}

/** An arm's values in one run, and the line that stands for them. */
function lineOf(view: View, run: RunLog, arm: number): Pick<Curve, "series" | "line"> | null {
  const log = run.arms[arm];
  if (log === undefined) return null;
  const series = seriesOf(log, run.spec?.arms[arm], view.choice, view.thresholds);
  if (series === null) return null;
  const width = isSmoothed(view) ? view.smoothing : 1;
  return { series, line: smoothed(series.y, width, view.yLog) };
}

/** The same over the layer's seeds. Each is smoothed by itself, and the mean is their lines'. */
function meanOf(
  view: View,
  { log, seeds = [] }: Layer,
  arm: number,
  own: Pick<Curve, "series" | "line">,
): Pick<Curve, "series" | "line"> {
  const nothing = new ColumnBuffer(1).column;
  const others = seeds.map((seed) => {
    const found = lineOf(view, seed, arm);
    return { steps: found?.series.steps ?? nothing, line: found?.line ?? nothing };
  });
  const runs = [log, ...seeds].map(({ id }) => id);
  const key = JSON.stringify([
    arm,
    [view.choice.metric, view.choice.factor, view.yLog, view.smoothing, view.thresholds],
    own.series.steps.length,
    runs,
  ]);
  const series = overSeeds([{ steps: own.series.steps, line: own.line }, ...others], key);
  return { series, line: series.y };
}

/** Colours, dash and marker of an arm, in the view's theme. */
export function lookOf(view: View, arm: number): Look {
  const style = view.styles[arm % Math.max(1, view.styles.length)];
  const colours = view.palette.arms;
  const { color, ink } = colours[(style?.slot ?? arm) % colours.length] as (typeof colours)[number];
  const colour = style?.faded ? view.palette.line : color;
  return { colour, ink, dash: style?.dash ?? "solid", marker: style?.marker ?? "circle" };
}

/** The end of the x axis: the run's length, so that it holds still while the run plays. */
export function endOf(view: View): number {
  if (view.x === "step") return lastStep(view);
  let end = 0;
  for (const { log, kind } of view.layers) {
    if (kind === "ghost") continue;
    for (const arm of log.arms) end = Math.max(end, xOf(arm, view.cursor, "seconds") || 0);
  }
  return end;
}

/** The last step that any run shown will have; seconds have no end that is known. */
export function lastStep(view: View): number {
  if (view.x === "seconds") return Number.POSITIVE_INFINITY;
  return Math.max(1, ...view.layers.map(({ log }) => log.spec?.steps ?? 0));
}

/** Indices `[from, to)` of a curve's points within an x range, and one more to either side. */
export function windowOf(curve: Curve, view: View, low: number, high: number): [number, number] {
  const { steps } = curve.series;
  const first = steps.countUpTo(stepAt(curve.log, low, view.x) - 1);
  const last = steps.countUpTo(stepAt(curve.log, high, view.x));
  return [Math.max(0, first - 1), Math.min(curve.shown, last + 1)];
}

/** The last point of a curve that has a value; -1 if none has. */
export function lastOf(curve: Curve): number {
  let index = curve.shown - 1;
  while (index >= 0 && Number.isNaN(curve.line.at(index))) index -= 1;
  return index;
}

/** The x of a curve's point. */
export function pointX(curve: Curve, index: number, unit: View["x"]): number {
  const { steps } = curve.series;
  if (unit === "step") return steps.at(index);
  if (steps === curve.log.steps) return curve.log.metrics.seconds?.at(index) ?? Number.NaN;
  return xOf(curve.log, steps.at(index), unit);
}

/**
 * A short text that changes whenever the figure changes, so that an unchanged figure is not computed
 * again. The cursor is left out, because the line at the cursor is not part of the figure.
 */
export function signature(view: View, curves: readonly Curve[], xRange: readonly number[]): string {
  const looks = view.styles.map((style) => `${style.slot}${style.dash}${style.marker}`);
  const marks = view.layers
    .filter((layer) => layer.kind === "main")
    .flatMap(({ log }) => log.arms.map((arm) => markCount(arm, view.cursor)));
  return JSON.stringify([
    view.palette.panel,
    view.choice.metric,
    [view.x, view.xLog, view.yLog, view.smoothing, view.thresholds, view.zoom],
    [view.width, view.height, view.scale],
    looks,
    curves.map(({ layer, label, shown }) => [
      [layer.log, ...(layer.seeds ?? [])].map(({ id }) => id),
      layer.kind,
      label,
      shown,
    ]),
    marks,
    xRange,
  ]);
}

function markCount(arm: ArmLog, cursor: number): number {
  const diverged = arm.diverged !== null && arm.diverged.step <= cursor ? 1 : 0;
  return countUpToStep(arm.spikes, cursor) + countUpToStep(arm.changes, cursor) + diverged;
}
