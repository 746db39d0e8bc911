/** Lines of a panel's own as a figure, with shaded stretches behind them. Pure. */

import { drawable, EMPTY, extend, yPlan } from "./axes";
import { type Drawing, type Numbers, spread } from "./drawing";
import { shortNumber } from "./heights";
import type { PlotlyLayout } from "./plotly";
import { type Palette, prototype, type Template, withAlpha } from "./templates";

export interface Line {
  x: readonly number[];
  y: readonly (number | null)[];
  colour: string;
  dash: string;
  name: string;
}

export interface Shade {
  from: number;
  to: number;
  colour: string;
}

/** A marked point. */
export interface Dot {
  x: number;
  y: number;
  colour: string;
  marker: string;
}

export interface LinesView {
  template: Template;
  palette: Palette;
  lines: readonly Line[];
  dots?: readonly Dot[];
  shades?: readonly Shade[];
  /** Where everything on the page is now. */
  cursor?: number;
  titles: readonly [string, string];
  /** `signed`: logarithmic to both sides of zero. */
  scaleY: "linear" | "log" | "signed";
  range?: readonly [number, number];
  /** Values shown; all of them where it is left out. */
  rangeY?: readonly [number, number];
  scale: number;
}

/** Decades that a signed log scale keeps to each side of zero. */
const DECADES = 6;

/** Logarithmic to both sides of zero, linear in between: asinh in powers of ten. */
export function signedLog(value: number, smallest: number): number {
  return Math.asinh(value / (2 * smallest)) / Math.LN10;
}

/** Rows of the table. */
const TABLE_ROWS = 101;

export function linesFigure(view: LinesView): Drawing {
  const { template, palette } = view;
  const shape = prototype(template, "line") ?? {};
  const dotShape = prototype(template, "here") ?? {};
  const finite = view.lines.flatMap((line) =>
    line.y.filter((value): value is number => value !== null && Number.isFinite(value)),
  );
  const largest = finite.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const smallest = largest / 10 ** DECADES;
  const plan = yPlan(extend(EMPTY, finite), view.scaleY === "log", [null, null]);
  const place = (value: number | null): number | null => {
    if (value === null) return null;
    return view.scaleY === "signed" ? signedLog(value, smallest) : drawable(plan, value);
  };
  const { meta: _meta, title: _title, ...layout } = template.layout;
  const axis = (name: "xaxis" | "yaxis", text: string): PlotlyLayout => ({
    ...(layout[name] as PlotlyLayout),
    tickfont: { size: 10 * view.scale, color: palette.faint },
    gridcolor: palette.grid,
    title: { text, font: { size: 11 * view.scale, color: palette.faint }, standoff: 3 },
  });
  return {
    palette,
    scale: view.scale,
    tables: () => [linesTable(view)],
    data: [
      ...view.lines.map((line) => ({
        ...shape,
        meta: { role: "line" },
        x: line.x,
        y: line.y.map(place),
        customdata: line.y,
        name: line.name,
        hovertemplate: "%{customdata:.3r}",
        line: { ...(shape.line as object), color: line.colour, dash: line.dash },
      })),
      ...(view.dots ?? []).map((dot) => ({
        ...dotShape,
        meta: { role: "here" },
        x: [dot.x],
        y: [place(dot.y)],
        marker: {
          ...(dotShape.marker as object),
          color: dot.colour,
          symbol: dot.marker,
          line: { width: 1.5, color: palette.panel },
        },
      })),
    ],
    layout: {
      ...layout,
      font: { ...(layout.font as object), size: 11 * view.scale, color: palette.faint },
      paper_bgcolor: palette.panel,
      plot_bgcolor: palette.panel,
      hovermode: "x unified",
      hoverlabel: {
        bgcolor: palette.panel,
        bordercolor: palette.line,
        font: { color: palette.ink },
      },
      dragmode: false,
      margin: { l: 52 * view.scale, r: 12, t: 8, b: 36 * view.scale },
      xaxis: { ...axis("xaxis", view.titles[0]), ...(view.range && { range: [...view.range] }) },
      yaxis: {
        ...axis("yaxis", view.titles[1]),
        type: plan.log ? "log" : "linear",
        ...(view.scaleY === "signed"
          ? signedTicks(largest, smallest)
          : {
              range: plan.range,
              tickmode: "array",
              tickvals: plan.ticks.map((tick) => tick.value),
              ticktext: plan.ticks.map((tick) => tick.text),
            }),
        ...(view.rangeY && { range: [...view.rangeY], tickmode: "auto" }),
      },
      shapes: [
        ...(view.shades ?? []).map((shade) => ({
          type: "rect",
          xref: "x",
          yref: "paper",
          x0: shade.from,
          x1: shade.to,
          y0: 0,
          y1: 1,
          layer: "below",
          line: { width: 0 },
          fillcolor: withAlpha(shade.colour, 0.13),
        })),
        ...(view.cursor === undefined
          ? []
          : [
              {
                type: "line",
                xref: "x",
                yref: "paper",
                x0: view.cursor,
                x1: view.cursor,
                y0: 0,
                y1: 1,
                line: { width: 1, color: palette.faint, dash: "dot" },
              },
            ]),
      ],
    },
  };
}

/** A row for a place on the axis, a column for a line; the lines share the longest one's axis. */
function linesTable({ lines, titles }: LinesView): Numbers {
  const axis = lines.reduce<readonly number[]>(
    (longest, line) => (line.x.length > longest.length ? line.x : longest),
    [],
  );
  return {
    caption: titles[1],
    corner: titles[0],
    columns: lines.map((line) => line.name),
    rows: spread(axis.length, TABLE_ROWS).map((index) => ({
      name: shortNumber(axis[index] ?? null),
      cells: lines.map((line) => {
        const value = line.y[index];
        return value === undefined ? "" : shortNumber(value);
      }),
    })),
  };
}

/** Powers of ten to both sides of zero. */
function signedTicks(largest: number, smallest: number): PlotlyLayout {
  const top = Math.ceil(Math.log10(largest));
  const powers = [top, top - 2, top - 4].map((power) => 10 ** power);
  const values = [...powers.map((power) => -power), 0, ...powers.reverse()];
  return {
    tickmode: "array",
    tickvals: values.map((value) => signedLog(value, smallest)),
    ticktext: values.map((value) =>
      value === 0
        ? "0"
        : `${value < 0 ? "−" : ""}10<sup>${Math.round(Math.log10(Math.abs(value)))}</sup>`,
    ),
  };
}
