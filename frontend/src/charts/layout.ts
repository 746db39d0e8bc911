/** The parts of a figure's layout that do not depend on its kind: box, fonts, axes. */

import { type AxisPlan, xText } from "./axes";
import type { PlotlyLayout } from "./plotly";
import type { View } from "./view";

/** The plot inside its container, in CSS pixels. */
export interface Plot {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The template's margins, at least `right` pixels on the right and `least` on the left. */
export function plotBox(view: View, right: number, least = 0): Plot {
  const { margin } = view.template.layout;
  const left = Math.max(margin.l * view.scale, least);
  const top = margin.t * view.scale;
  return {
    left,
    top,
    width: Math.max(40, view.width - left - Math.max(right, 12)),
    height: Math.max(40, view.height - top - margin.b * view.scale),
  };
}

export function layoutOf(
  view: View,
  plot: Plot,
  x: AxisPlan,
  y: AxisPlan,
  suffix: string,
): PlotlyLayout {
  const { palette, template } = view;
  const { meta: _meta, title: _title, ...layout } = template.layout;
  return {
    ...layout,
    width: view.width,
    height: view.height,
    margin: {
      l: plot.left,
      r: view.width - plot.left - plot.width,
      t: plot.top,
      b: view.height - plot.top - plot.height,
      pad: 0,
    },
    font: { ...(layout.font as object), size: 11 * view.scale, color: palette.faint },
    paper_bgcolor: palette.panel,
    plot_bgcolor: palette.panel,
    hovermode: false,
    uirevision: "kept",
    xaxis: axisOf(view, layout.xaxis, x, xTexts(view, x)),
    yaxis: axisOf(view, layout.yaxis, y, yTexts(y, suffix)),
  };
}

/** A template's axis with the plan's range and ticks; titles are the page's own. */
export function axisOf(
  view: View,
  template: unknown,
  plan: AxisPlan,
  texts: readonly string[],
): PlotlyLayout {
  return {
    ...(template as PlotlyLayout),
    type: plan.log ? "log" : "linear",
    range: plan.range,
    autorange: false,
    tickmode: "array",
    tickvals: plan.ticks.map((tick) => tick.value),
    ticktext: texts,
    tickfont: { size: 11 * view.scale, color: view.palette.faint },
    gridcolor: view.palette.grid,
    title: { text: "" },
    tickangle: 0,
    ticklabeloverflow: "allow",
  };
}

/** How many ticks an x axis of some width has room for. */
export function tickRoom(view: View, width: number): number {
  return width / (75 * view.scale);
}

/** Pixels that the texts of a value axis need. */
export function textRoom(view: View, texts: readonly string[]): number {
  return Math.ceil((6.3 * Math.max(...texts.map((text) => text.length), 0) + 7) * view.scale);
}

/** The first tick says what the axis counts: "step 0". */
function xTexts(view: View, plan: AxisPlan): string[] {
  return plan.ticks.map((tick, index) => {
    const seconds = view.x === "seconds" && tick.value !== plan.floor;
    const text = seconds ? xText(tick.value, "seconds") : tick.text;
    return index === 0 && view.x === "step" ? `step ${text}` : text;
  });
}

/** The last tick carries the unit: "30 %". */
export function yTexts(plan: AxisPlan, suffix: string): string[] {
  return plan.ticks.map((tick, index) =>
    index === plan.ticks.length - 1 ? `${tick.text}${suffix}` : tick.text,
  );
}
