/** Where 100 % of an accuracy is, since its axis fits the data: a line, or the word that it is above. */

import { type AxisPlan, fraction, valueAt } from "./axes";
import type { Title } from "./curves";
import type { Plot } from "./layout";
import type { PlotlyTrace } from "./plotly";
import type { View } from "./view";

const ALL = 100;

/** Whether the chart shows a share that the test set measures, so that 100 % is all there is. */
function hasCeiling({ choice }: View): boolean {
  return choice.source === "evaluation" && choice.bounds[1] === ALL;
}

function isInSight(y: AxisPlan): boolean {
  return fraction(y, ALL) <= 1;
}

/** The line at 100 %, beneath the curves. */
export function ceilingLine(view: View, x: AxisPlan, y: AxisPlan): PlotlyTrace[] {
  if (!hasCeiling(view) || !isInSight(y)) return [];
  return [
    {
      type: "scatter",
      mode: "lines",
      meta: { role: "ceiling" },
      x: [valueAt(x, 0), valueAt(x, 1)],
      y: [ALL, ALL],
      line: { color: view.palette.faint, width: Math.sqrt(view.scale), dash: "dash" },
      hoverinfo: "skip",
    },
  ];
}

/** The words where the line is out of sight. */
export function ceilingNote(view: View, y: AxisPlan, plot: Plot): Title[] {
  if (!hasCeiling(view) || isInSight(y)) return [];
  return [
    {
      text: "↑ 100 % is above",
      ink: view.palette.faint,
      left: plot.left + 6 * view.scale,
      // Below the line where changes of λ are noted.
      bottom: plot.top + 28 * view.scale,
      weight: 400,
    },
  ];
}
