/** Where 100 % of an accuracy is, since its axis fits the data: a line, or the word that it is above. */

import { type AxisPlan, fraction, valueAt } from "./axes";
import type { Title } from "./curves";
import { type End, widthOf } from "./ends";
import { textWidth } from "./labelRoom";
import type { Plot } from "./layout";
import { type Mark, noteBottom } from "./marks";
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

const NOTE = "↑ 100 % is above";
const NOTE_FONT = 12;
/** Pixels from one line to the next. */
const LINE = 16;

/** The words where the line is out of sight: above the plot, or below labels that stand there. */
export function ceilingNote(
  view: View,
  y: AxisPlan,
  plot: Plot,
  ends: readonly End[],
  marks: readonly Mark[],
): Title[] {
  if (!hasCeiling(view) || isInSight(y)) return [];
  const { scale, palette } = view;
  const left = plot.left + 6 * scale;
  const font = NOTE_FONT * scale;
  const right = left + textWidth(NOTE, font);
  const near = ends.filter((end) => end.textLeft < right && end.textLeft + widthOf(end) > left);
  // Changes of λ are noted above the plot too.
  const isNoted = marks.some((mark) => mark.note !== "" && mark.left < right);
  let bottom = noteBottom(plot) + (isNoted ? LINE * scale : 0);
  const isTaken = () =>
    near.some(
      ({ textTop, lines }) =>
        Math.abs(textTop - (bottom - 4 * scale)) < (LINE * scale * (lines.length + 1)) / 2,
    );
  while (isTaken() && bottom + LINE * scale < plot.top + plot.height) bottom += LINE * scale;
  return [{ text: NOTE, ink: palette.faint, left, bottom, font, weight: 400 }];
}
