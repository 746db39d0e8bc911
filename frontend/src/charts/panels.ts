/** Small multiples: one panel an arm, side by side on the same axes, for pictures that would collide. */

import { armName } from "../state/arms";
import { type AxisPlan, fraction, type Tick, type ValueAxis, xPlan, xText, zoomed } from "./axes";
import type { Filled, Title } from "./curves";
import { fanAxis, fanTrace } from "./fan";
import { heatAxis, heatTrace } from "./heat";
import { broken, fitting, LINE, textWidth } from "./labelRoom";
import { axisOf, layoutOf, type Plot, plotBox, tickRoom } from "./layout";
import { marksOf } from "./marks";
import type { PlotlyLayout, PlotlyTrace } from "./plotly";
import { type Curve, curvesOf, endOf, lastStep, lookOf, type View } from "./view";

const BETWEEN = 16;
/** Size of a panel's name, as it is drawn over it, and the least of it in narrow panels. */
const TITLE_FONT = 12;
const LEAST_FONT = 9;
/** Share of a panel after which a tick has no text. */
const LAST_TEXT = 0.8;
/** Lines of a panel's name at the most: the picture keeps its height. */
const TITLE_LINES = 3;

/** The curves that stand for a panel's picture in readout, summary and table. */
export function panelCurves(view: View): Curve[] {
  const { metric } = view.choice;
  const fields: [string, string][] =
    view.template.layout.meta.kind === "fan"
      ? [
          [metric.replace("eigenvalues", "largest"), "largest"],
          [metric.replace("eigenvalues", "smallest"), "smallest"],
        ]
      : [
          [`${metric}.largest`, "largest"],
          [`${metric}.median`, "median"],
        ];
  // The pictures are of one run, and so is what is read from them.
  const main = view.layers
    .filter((layer) => layer.kind === "main")
    .map(({ log, kind, name }) => ({ log, kind, name }));
  return fields
    .flatMap(([name, word]) =>
      curvesOf({ ...view, layers: main, choice: { ...view.choice, metric: name } }).map(
        (curve) => ({ ...curve, label: `${curve.label}, ${word}`, part: word }),
      ),
    )
    .sort((a, b) => a.arm - b.arm);
}

/** The x axis that all panels share. */
export function panelXAxis(view: View): AxisPlan {
  const width = panelWidth(view);
  const plan = xPlan(endOf(view), view.xLog, tickRoom(view, width), lastStep(view));
  return view.zoom.x === null
    ? plan
    : zoomed(plan, view.zoom.x, Math.max(2, tickRoom(view, width)));
}

function panelWidth(view: View): number {
  const count = Math.max(1, armCount(view));
  return (plotBox(view, 0).width - BETWEEN * (count - 1)) / count;
}

function armCount(view: View): number {
  return view.layers.find((layer) => layer.kind === "main")?.log.arms.length ?? 0;
}

/** The axis's ticks; one in the middle, where a text at zero would be the only one. */
function panelTicks(x: AxisPlan): Tick[] {
  const [first, second, ...more] = x.ticks;
  const isAlone = second !== undefined && fraction(x, second.value) > LAST_TEXT;
  if (x.log || more.length > 0 || first === undefined || !isAlone) return x.ticks;
  const middle = (first.value + second.value) / 2;
  return [first, { value: middle, text: xText(middle, "step") }, second];
}

export function fillPanels(view: View, x: AxisPlan): Filled {
  const layer = view.layers.find((candidate) => candidate.kind === "main");
  const arms = layer?.log.arms ?? [];
  const width = panelWidth(view);
  const labels = arms.map((_, index) => armName(layer?.log.spec?.arms, index));
  const room = width + (BETWEEN * 3) / 4;
  const font = titleFont(labels, room / view.scale) * view.scale;
  const names = titlesOf(labels, font, room);
  const line = LINE * font;
  const box = { ...plotBox(view, 0) };
  const head = 16 * view.scale + (Math.max(1, ...names.map(({ length }) => length)) - 1) * line;
  box.top += head;
  box.height -= head;
  const fan = view.template.layout.meta.kind === "fan";
  const axis: ValueAxis = fan ? fanAxis(view, arms) : heatAxis(view, arms);
  const data: PlotlyTrace[] = [];
  const titles: Title[] = [];
  const axes: Record<string, PlotlyLayout> = {};
  const base = layoutOf(view, box, x, axis.plan, "");
  const ticks = panelTicks(x);
  // The last tick's text would run into the next panel.
  const texts = ticks.map((tick) => (fraction(x, tick.value) > LAST_TEXT ? "" : tick.text));
  const plots = arms.map((arm, index): { box: Plot; arm: number } => {
    const name = index === 0 ? "" : `${index + 1}`;
    const left = index * (width + BETWEEN);
    const domain = [left / box.width, (left + width) / box.width];
    axes[`xaxis${name}`] = {
      ...axisOf(view, base.xaxis, { ...x, ticks }, texts),
      domain,
      anchor: "y",
      ...(index > 0 && { matches: "x" }),
    };
    const trace = fan ? fanTrace(view, arm, index, x, axis) : heatTrace(view, arm, index, x);
    if (trace !== null) data.push({ ...trace, xaxis: `x${name}`, yaxis: "y" });
    const lines = names[index] ?? [];
    for (const [at, text] of lines.entries()) {
      titles.push({
        text,
        ink: lookOf(view, index).ink,
        left: box.left + left,
        bottom: box.top - 5 * view.scale - (lines.length - 1 - at) * line,
        font,
        weight: 600,
      });
    }
    return { box: { ...box, left: box.left + left, width }, arm: index };
  });
  return {
    figure: { data, layout: { ...base, ...axes } },
    x,
    y: axis.plan,
    plots,
    place: axis.place,
    ends: [],
    marks: plots.flatMap(({ box: panel, arm }) => marksOf(view, x, panel, arm)),
    titles,
  };
}

/** As large as the longest word of the names allows. */
function titleFont(names: readonly string[], room: number): number {
  const words = names.flatMap((name) => name.split(" "));
  const longest = Math.max(0, ...words.map((word) => textWidth(word, TITLE_FONT)));
  return Math.max(LEAST_FONT, Math.min(TITLE_FONT, (TITLE_FONT * room) / longest));
}

/** Each name in lines, whole where its words have room, and else shortened to one line. */
function titlesOf(names: readonly string[], font: number, room: number): string[][] {
  const short = fitting(names, font, room);
  return names.map((name, index) => {
    const lines = broken(name, font, room);
    const isWhole =
      lines.length <= TITLE_LINES && lines.every((line) => textWidth(line, font) <= room);
    return isWhole ? lines : [short[index] ?? name];
  });
}
