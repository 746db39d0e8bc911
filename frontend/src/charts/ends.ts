/** The ends of the curves: a marker and a direct label each, in place of a legend. */

import { type AxisPlan, drawable, fraction, valueAt } from "./axes";
import {
  endText,
  fitsBeside,
  fontOf,
  labelHeight,
  named,
  namesOf,
  TEXT_OFFSET,
  textWidth,
} from "./labelRoom";
import { spread } from "./labels";
import type { Plot } from "./layout";
import type { PlotlyTrace } from "./plotly";
import { prototype, type Template } from "./templates";
import { type Curve, lastOf, pointX, type View, windowOf } from "./view";

/** Where a curve ends, in pixels of the container, and what is written beside it. */
export interface End {
  curve: Curve;
  /** Name and value; in lines where one has no room. */
  lines: readonly string[];
  left: number;
  top: number;
  /** Where the text stands: beside the end, moved away from other labels. */
  textLeft: number;
  textTop: number;
  /** Sizes of text and marker, in pixels. */
  font: number;
  size: number;
}

export function endsOf(
  view: View,
  curves: readonly Curve[],
  x: AxisPlan,
  y: AxisPlan,
  plot: Plot,
): End[] {
  const names = namesOf(view, curves);
  const font = fontOf(view);
  const found = curves.flatMap((curve, index): (End & { whole: string })[] => {
    const end = lastOf(curve);
    const [, to] = windowOf(curve, view, valueAt(x, 0), valueAt(x, 1));
    // Where the reader has zoomed in, the value at the right edge stands for the end.
    let last = Math.min(end, to - 1);
    while (last > 0 && !(fraction(x, pointX(curve, last, view.x)) <= 1.001)) last -= 1;
    if (curve.layer.kind === "ghost" || last < 0) return [];
    const across = fraction(x, drawable(x, pointX(curve, last, view.x)));
    const up = fraction(y, drawable(y, curve.line.at(last)));
    if (!(across >= 0 && across <= 1.001 && up >= -0.02 && up <= 1.02)) return [];
    const left = plot.left + across * plot.width;
    const top = plot.top + (1 - up) * plot.height;
    const marker = curve.layer.kind === "main" ? 6 : 4;
    const size = last < end ? 0 : marker * Math.sqrt(view.scale);
    const value = endText(view, curve, last, end);
    return [
      {
        curve,
        lines: [...(names[index]?.slice(0, -1) ?? []), `${names[index]?.at(-1)}${value}`],
        whole: `${named(view) ? `${curve.label} ` : ""}${value}`,
        left,
        top,
        textLeft: left,
        textTop: top,
        font,
        size,
      },
    ];
  });
  const ends = found.map(({ whole, ...end }) =>
    fitsBeside(view, pastAll(end, whole, found), whole) ? { ...end, lines: [whole] } : end,
  );
  const places = spread(
    ends.map((end) => end.top),
    ends.map((end) => labelHeight(view, end.lines.length)),
    plot.top + 4,
    plot.top + plot.height - 4,
  );
  return ends.map((end, index) => {
    const textTop = places[index] as number;
    return { ...end, textTop, textLeft: behind(end, textTop, ends) + TEXT_OFFSET };
  });
}

/** Where a text starts at the latest, wherever the others are moved. */
function pastAll(end: End, text: string, all: readonly End[]): number {
  const reach = end.left + TEXT_OFFSET + textWidth(text, end.font);
  return Math.max(end.left, ...all.map(({ left }) => left).filter((left) => left - 6 < reach));
}

/** Pixels that the longest line of a label takes. */
export function widthOf({ lines, font }: Pick<End, "lines" | "font">): number {
  return Math.max(...lines.map((line) => textWidth(line, font)));
}

/** Where a text starts: at its curve's end, or past the end of a longer curve that is in its way. */
function behind(end: End, textTop: number, all: readonly End[]): number {
  const reach = end.left + TEXT_OFFSET + widthOf(end);
  const inTheWay = all.filter(
    ({ left, top }) =>
      left > end.left &&
      left - 6 < reach &&
      Math.abs(top - textTop) < (end.font * (end.lines.length + 1)) / 2,
  );
  return Math.max(end.left, ...inTheWay.map(({ left }) => left));
}

/** The markers at the ends as Plotly traces, for a figure that leaves the page. */
export function endTraces(
  template: Template,
  ends: readonly End[],
  plot: Plot,
  x: AxisPlan,
  y: AxisPlan,
  panel: string,
): PlotlyTrace[] {
  const shape = prototype(template, "label");
  if (shape === undefined) return [];
  return ends.map(({ curve, left, top, size }) => ({
    ...shape,
    mode: "markers",
    x: [valueAt(x, (left - plot.left) / plot.width)],
    y: [valueAt(y, 1 - (top - plot.top) / plot.height)],
    marker: {
      size: [size],
      opacity: 1,
      symbol: curve.marker,
      color: curve.colour,
      line: { width: 1.5, color: panel },
    },
  }));
}
