/** Lines of a panel's own as a figure, with shaded stretches behind them. Pure. */

import { formatHeight } from "../format";
import { drawable, EMPTY, extend, joined, yPlan } from "./axes";
import type { Drawing, Numbers } from "./drawing";
import { evenly } from "./evenly";
import type { PlotlyLayout } from "./plotly";
import { type SignedAxis, signedAxis } from "./signedLog";
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

/** Words at a place of the axis, at the top of the picture. */
export interface Note {
  x: number;
  text: string;
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
  notes?: readonly Note[];
  /** Where everything on the page is now. */
  cursor?: number;
  titles: readonly [string, string];
  /** `signed`: logarithmic to both sides of zero. */
  scaleY: "linear" | "log" | "signed";
  /** Linear where it is left out. */
  scaleX?: "linear" | "log";
  range?: readonly [number, number];
  /** Values shown; all of them where it is left out. */
  rangeY?: readonly [number, number];
  scale: number;
}

/** Rows of the table. */
const TABLE_ROWS = 101;

export function linesFigure(view: LinesView): Drawing {
  const { template, palette } = view;
  const shape = prototype(template, "line") ?? {};
  const dotShape = prototype(template, "here") ?? {};
  const { plan, transform } = valueAxis(view);
  const place = (value: number | null): number | null => (value === null ? null : transform(value));
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
      xaxis: {
        ...axis("xaxis", view.titles[0]),
        hoverformat: ".4~g",
        ...(view.scaleX === "log" && { type: "log", dtick: 1, exponentformat: "power" }),
        ...(view.range && { range: [...view.range] }),
      },
      yaxis: {
        ...axis("yaxis", view.titles[1]),
        type: plan.log ? "log" : "linear",
        range: plan.range,
        tickmode: "array",
        tickvals: plan.ticks.map((tick) => tick.value),
        ticktext: plan.ticks.map((tick) => tick.text),
        ...(view.rangeY && { range: [...view.rangeY], tickmode: "auto" }),
      },
      annotations: (view.notes ?? []).map(({ x, text, colour }) => ({
        x,
        y: 1,
        xref: "x",
        yref: "paper",
        yanchor: "top",
        text,
        textangle: -90,
        showarrow: false,
        font: { size: 10 * view.scale, color: colour },
      })),
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

/** The axis that the lines share, and where it draws a value. */
function valueAxis({ lines, scaleY }: LinesView): SignedAxis {
  const extents = lines.map((line) =>
    extend(
      EMPTY,
      line.y.filter((value) => value !== null),
    ),
  );
  if (scaleY === "signed") return signedAxis(extents);
  const plan = yPlan(joined(extents), scaleY === "log", [null, null]);
  return { plan, transform: (value) => drawable(plan, value) };
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
    rows: evenly(axis.length, TABLE_ROWS).map((index) => ({
      name: formatHeight(axis[index] ?? null),
      cells: lines.map((line) => {
        const value = line.y[index];
        return value === undefined ? "" : formatHeight(value);
      }),
    })),
  };
}
