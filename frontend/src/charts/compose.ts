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

/** A space at which no line ends. */
const TOGETHER = "\u00a0";

/** The words of a unit for the band that a mean over seeds does not have. */
const ERROR = ", ± standard error";

/** Unit and scale, and over how many seeds the chart is, as they stand beside the title. */
export function unitText(
  view: Pick<View, "template" | "layers" | "choice" | "yLog" | "smoothing">,
): string {
  const { choice, yLog } = view;
  const smooth = isSmoothed(view) ? `,${TOGETHER}≈${TOGETHER}smoothed` : "";
  const seeds = seedsText(view);
  const unit = seeds === "" ? choice.unit : choice.unit.replace(ERROR, "");
  // The heat map has but one scale, and names it in its unit.
  if (!yLog || choice.unit.includes("log")) return `${unit}${smooth}${seeds}`;
  return `${unit}, ${choice.signed ? `signed${TOGETHER}log` : "log"}${smooth}${seeds}`;
}

/** Over how many seeds a chart is; empty where it is of one run alone. */
function seedsText({ template, layers }: Pick<View, "template" | "layers">): string {
  const main = layers.find(({ kind }) => kind === "main");
  if (main?.seeds === undefined) return "";
  const { kind, span } = template.layout.meta;
  if (kind !== "curves") return `, seed ${main.log.spec?.seed ?? 0} alone`;
  const words = span === "hero" ? "mean and range of " : "";
  return `, ${words}${main.seeds.length + 1}${TOGETHER}seeds`;
}
