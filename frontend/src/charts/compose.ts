/** From a view to a figure: which kind of chart it is, and what it is made of. */

import type { AxisPlan } from "./axes";
import { type Filled, fillCurves, xAxisOf } from "./curves";
import { fillPanels, panelCurves, panelXAxis } from "./panels";
import { type Curve, curvesOf, isSmoothed, type View } from "./view";

/** A chart complete: for the screen, the readout over it, the words and the table. */
export interface Drawn extends Filled {
  view: View;
  curves: Curve[];
}

/** What is cheap to know of a chart: enough to tell whether it changed, to read it, to tabulate. */
export interface Outline {
  view: View;
  curves: Curve[];
  x: AxisPlan;
}

export function outline(view: View): Outline {
  if (isPanels(view)) return { view, curves: panelCurves(view), x: panelXAxis(view) };
  const curves = curvesOf(view);
  return { view, curves, x: xAxisOf(view, curves) };
}

export function compose({ view, curves, x }: Outline): Drawn {
  const filled = isPanels(view) ? fillPanels(view, x) : fillCurves(view, curves, x);
  return { ...filled, view, curves };
}

export function isPanels(view: View): boolean {
  return view.template.layout.meta.kind !== "curves";
}

/** Unit and scale, as they stand beside the title. */
export function unitText(view: Pick<View, "choice" | "yLog" | "smoothing">): string {
  const { choice, yLog } = view;
  const smooth = isSmoothed(view) ? ", ≈ smoothed" : "";
  // The heat map has but one scale, and names it in its unit.
  if (!yLog || choice.unit.includes("log")) return `${choice.unit}${smooth}`;
  return `${choice.unit}, ${choice.signed ? "signed log" : "log"}${smooth}`;
}
