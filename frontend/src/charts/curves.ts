/** Fills a template of curves: one trace a role and arm, and axes. */

import {
  type AxisPlan,
  drawable,
  EMPTY,
  extend,
  fraction,
  valueAt,
  xPlan,
  yPlan,
  zoomed,
} from "./axes";
import { ceilingLine, ceilingNote } from "./ceiling";
import { pickLog, pyramidOf } from "./decimate";
import { type End, endsOf } from "./ends";
import { parseHover } from "./hover";
import { labelRoom } from "./labelRoom";
import { layoutOf, type Plot, plotBox, textRoom, tickRoom, yTexts } from "./layout";
import { type Mark, marksOf } from "./marks";
import type { Figure, PlotlyTrace } from "./plotly";
import { prototype, type Role, withAlpha } from "./templates";
import { type Curve, endOf, lastStep, MOST_POINTS, pointX, type View, windowOf } from "./view";

/** Most points a pixel: of the recorded values, and of their running mean. */
const RAW_DENSITY = 2;
const LINE_DENSITY = 1.5;

/** A figure, and where its axes are, for what is drawn over it. */
export interface Filled {
  figure: Figure;
  x: AxisPlan;
  /** Where the plots are: one for all arms (`arm` null), or one an arm. */
  plots: { box: Plot; arm: number | null }[];
  y: AxisPlan;
  /** Where a value lies on the value axis: 0 at its start, 1 at its end. */
  place(value: number): number;
  /** Drawn over the figure by us, since text and shapes are what costs Plotly most. */
  ends: End[];
  marks: Mark[];
  titles: Title[];
}

/** The name of a panel, at its upper left, or a note in a plot. */
export interface Title {
  text: string;
  ink: string;
  left: number;
  bottom: number;
  /** Its size, in pixels. */
  font: number;
  weight: number;
}

/** The x axis of the view: what the reader zoomed to, else from 0 to the cursor. */
export function xAxisOf(view: View, curves: readonly Curve[]): AxisPlan {
  const { width } = plotBox(view, labelRoom(view, curves));
  const plan = xPlan(endOf(view), view.xLog, tickRoom(view, width), lastStep(view));
  return view.zoom.x === null
    ? plan
    : zoomed(plan, view.zoom.x, Math.max(2, tickRoom(view, width)));
}

export function fillCurves(view: View, curves: readonly Curve[], x: AxisPlan): Filled {
  const right = labelRoom(view, curves);
  const parts = curves.map((curve) => pickedOf(view, curve, x, plotBox(view, right).width));
  const y = yAxisOf(view, parts);
  const { suffix } = parseHover(view.choice.hover);
  const plot = plotBox(view, right, textRoom(view, yTexts(y, suffix)));
  const drawn: Drawing = { view, x, y, plot };
  const ends = endsOf(view, curves, x, y, plot);
  const data = [...ceilingLine(view, x, y), ...parts.flatMap((part) => linesOf(drawn, part))];
  const marks = marksOf(view, x, plot);
  return {
    figure: { data, layout: layoutOf(view, plot, x, y, suffix) },
    x,
    y,
    plots: [{ box: plot, arm: null }],
    place: (value) => fraction(y, value),
    ends,
    marks: marks.map((mark) => ringed(mark, view.choice.metric, curves, y, plot)),
    titles: ceilingNote(view, y, plot, ends, marks),
  };
}

/** A large spike is ringed where its own arm's gradient shows it. */
function ringed(
  mark: Mark,
  metric: string,
  curves: readonly Curve[],
  y: AxisPlan,
  plot: Plot,
): Mark {
  const gradient = metric.endsWith("norm");
  const curve = curves.find(({ layer, arm }) => layer.kind === "main" && arm === mark.arm);
  if (mark.kind !== "spike" || !gradient || curve === undefined) return mark;
  const { steps, y: values } = curve.series;
  const index = steps.countUpTo(mark.step) - 1;
  const up = fraction(y, values.at(index));
  if (steps.at(index) !== mark.step || !(up >= 0 && up <= 1)) return mark;
  return { ...mark, ring: plot.top + (1 - up) * plot.height };
}

interface Drawing {
  view: View;
  x: AxisPlan;
  y: AxisPlan;
  plot: Plot;
}

/** A curve with the points chosen to stand for it: of the values, and of their running mean. */
interface Part {
  curve: Curve;
  raw: number[];
  line: number[];
}

function pickedOf(view: View, curve: Curve, x: AxisPlan, width: number): Part {
  const [from, to] = windowOf(curve, view, valueAt(x, 0), valueAt(x, 1));
  const pick = (column: Curve["line"], density: number): number[] => {
    const points = Math.min(MOST_POINTS, Math.max(120, Math.round(density * width)));
    return x.log ? pickLog(column, from, to, points) : pyramidOf(column).pick(from, to, points);
  };
  // Two points a pixel carry all of the noise that can be seen; a running mean needs fewer.
  const raw = pick(curve.series.y, RAW_DENSITY);
  return { curve, raw, line: curve.line === curve.series.y ? raw : pick(curve.line, LINE_DENSITY) };
}

function yAxisOf(view: View, parts: readonly Part[]): AxisPlan {
  let extent = EMPTY;
  for (const { curve, raw, line } of parts) {
    const { y, error, spread } = curve.series;
    extent = extend(
      extent,
      raw.map((index) => y.at(index)),
    );
    extent = extend(
      extent,
      line.map((index) => curve.line.at(index)),
    );
    if (error !== null && curve.layer.kind === "main") {
      extent = extend(
        extent,
        raw.map((index) => y.at(index) + (error.at(index) || 0)),
      );
    }
    for (const edge of spread === null ? [] : [spread.low, spread.high]) {
      extent = extend(
        extent,
        raw.map((index) => edge.at(index)),
      );
    }
  }
  const count = Math.max(2, Math.min(5, Math.round(view.height / 75)));
  const plan = yPlan(extent, view.yLog, view.choice.bounds, count);
  return view.zoom.y === null ? plan : zoomed(plan, view.zoom.y, count);
}

/** The lines of one curve: a ghost or overlay is one faint line, an arm a band, raw and smooth. */
function linesOf(drawn: Drawing, part: Part): PlotlyTrace[] {
  const { curve, raw, line } = part;
  if (curve.layer.kind === "ghost") return one(drawn, curve, "ghost", curve.line, line);
  if (curve.layer.kind === "overlay") {
    return one(drawn, curve, "smooth", curve.line, line).map((trace) => ({
      ...trace,
      opacity: 0.6,
      line: { ...(trace.line as object), width: 1.2 },
    }));
  }
  const under = line === raw ? [] : one(drawn, curve, "raw", curve.series.y, raw);
  return [...band(drawn, part), ...under, ...one(drawn, curve, "smooth", curve.line, line)];
}

function one(
  drawn: Drawing,
  curve: Curve,
  role: Role,
  column: Curve["line"],
  indices: readonly number[],
): PlotlyTrace[] {
  const shape = prototype(drawn.view.template, role);
  if (shape === undefined) return [];
  const width = (shape.line as { width: number }).width * Math.sqrt(drawn.view.scale);
  // A raw curve is noise: dashes would only break it up.
  const dash = role === "raw" ? "solid" : curve.dash;
  return [
    {
      ...shape,
      meta: { arm: curve.arm, metric: drawn.view.choice.metric, role },
      name: curve.label,
      x: Float64Array.from(indices, (index) => placeX(drawn, curve, index)),
      y: Float64Array.from(indices, (index) => drawable(drawn.y, column.at(index))),
      line: { ...(shape.line as object), color: curve.colour, dash, width },
      hoverinfo: "skip",
    },
  ];
}

function placeX(drawn: Drawing, curve: Curve, index: number): number {
  return drawable(drawn.x, pointX(curve, index, drawn.view.x));
}

/** The spread of seeds, or one standard error to either side: closed shapes between gaps. */
function band(drawn: Drawing, { curve, raw }: Part): PlotlyTrace[] {
  const shape = prototype(drawn.view.template, "band");
  const edges = edgesOf(curve);
  if (shape === undefined || edges === null) return [];
  const xs: number[] = [];
  const ys: number[] = [];
  let stretch: number[] = [];
  const close = (): void => {
    if (stretch.length > 1) {
      for (const [edge, indices] of [
        [edges.high, stretch],
        [edges.low, stretch.toReversed()],
      ] as const) {
        for (const index of indices) {
          xs.push(placeX(drawn, curve, index));
          ys.push(drawable(drawn.y, edge(index)));
        }
      }
      xs.push(Number.NaN);
      ys.push(Number.NaN);
    }
    stretch = [];
  };
  for (const index of raw) {
    if (Number.isNaN(edges.low(index)) || Number.isNaN(edges.high(index))) close();
    else stretch.push(index);
  }
  close();
  return [
    {
      ...shape,
      meta: { arm: curve.arm, metric: drawn.view.choice.metric, role: "band" },
      x: Float64Array.from(xs),
      y: Float64Array.from(ys),
      fillcolor: withAlpha(curve.colour, shape.opacity as number),
      opacity: 1,
    },
  ];
}

/** Lower and upper edge of a curve's band, by index; null: it has none. */
function edgesOf({ series }: Curve): Record<"low" | "high", (index: number) => number> | null {
  const { y, error, spread } = series;
  if (spread !== null) {
    return { low: (index) => spread.low.at(index), high: (index) => spread.high.at(index) };
  }
  if (error === null) return null;
  return {
    low: (index) => y.at(index) - error.at(index),
    high: (index) => y.at(index) + error.at(index),
  };
}
