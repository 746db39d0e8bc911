/** A loss over a plane as a figure: contours or a surface, with what lies on it. Pure. */

import { type Box, clipped, isInside, surroundings } from "./clip";
import type { Drawing } from "./drawing";
import { heightColours, type Landscape, liftOf, type PlanePoint, trimmedRange } from "./landscape";
import { landscapeTables } from "./landscapeTables";
import { type LandscapeView, type PlanePath, part, readings, sayings } from "./plane";
import type { PlotlyLayout, PlotlyTrace } from "./plotly";
import { sceneOf, surfaceTraces } from "./surface";
import { withAlpha } from "./templates";

const CONTOURS = 18;
/** Differences of heights, as a share of them, that are rounding. */
const FLAT = 1e-9;
/** Around names, so that lines under them do not cross them. */
const HALO = ["0 0 2px", "0 0 3px", "1px 1px 2px", "-1px -1px 2px"];
/** Pixels from a path within which hovering reads the path. */
const NEAR = 7;

export function landscapeFigure(view: LandscapeView): Drawing {
  const { template, palette, landscape, titles } = view;
  const range = view.colours ?? trimmedRange(landscape) ?? [0, 1];
  const lift = view.log ? liftOf(range) : 0;
  const least = (range[0] + lift) / 10;
  const height = (value: number | null): number | null =>
    value === null ? null : view.log ? logOf(Math.max(value + lift, least)) : value;
  const ends = [height(range[0]) ?? 0, height(range[1]) ?? 1] as const;
  const low = ends[0];
  // A plain that is too high for its differences still needs colours between two ends.
  const room = Math.max(1, Math.abs(low) * FLAT);
  const high = ends[1] > low + Math.abs(low) * FLAT ? ends[1] : low + room;
  const z = landscape.values.map((row) => row.map(height));
  const made = view.surface
    ? surfaceTraces(view, z, low, high, height)
    : flatTraces(view, z, low, high, lift);
  const {
    meta: _meta,
    title: _title,
    scene: _scene,
    xaxis: _xaxis,
    yaxis: _yaxis,
    ...layout
  } = template.layout;
  // Axes of the other shape are left out altogether: Plotly trips over empty ones.
  const axis = (name: "xaxis" | "yaxis", values: readonly number[], text: string) => ({
    ...(template.layout[name] as PlotlyLayout),
    range: [values[0], values.at(-1)],
    autorange: false,
    tickfont: { size: 10 * view.scale, color: palette.faint },
    gridcolor: palette.grid,
    title: { text, font: { size: 11 * view.scale, color: palette.faint }, standoff: 3 },
  });
  return {
    palette,
    scale: view.scale,
    tables: () => landscapeTables(view),
    data: made,
    layout: {
      ...layout,
      font: { ...(layout.font as object), size: 11 * view.scale, color: palette.faint },
      paper_bgcolor: palette.panel,
      plot_bgcolor: palette.panel,
      hovermode: "closest",
      hoverdistance: NEAR,
      hoverlabel: {
        bgcolor: palette.panel,
        bordercolor: palette.line,
        font: { color: palette.ink },
      },
      dragmode: view.surface ? "turntable" : false,
      // A turned surface stays turned; of a plane with one scale, Plotly would keep the range too.
      uirevision: view.surface
        ? "kept"
        : JSON.stringify([endsOf(landscape.x), endsOf(landscape.y)]),
      margin: view.surface
        ? { l: 0, r: 0, t: 0, b: 0 }
        : { l: 46 * view.scale, r: 10, t: 6, b: 36 * view.scale },
      ...(view.surface
        ? { scene: sceneOf(view, low, high, lift) }
        : {
            xaxis: axis("xaxis", landscape.x, titles[0]),
            yaxis: isStretched(landscape)
              ? {
                  ...axis("yaxis", landscape.y, `${titles[1]}, at another scale`),
                  scaleanchor: false,
                }
              : axis("yaxis", landscape.y, titles[1]),
          }),
    },
  };
}

/** Planes that are longer than this, measured by their breadth, would be a strip at one scale. */
const LONGEST = 4;

/** Whether a plane's two axes have scales of their own. */
export function isStretched({ x, y }: Landscape): boolean {
  const [wide, high] = [x, y].map(endsOf).map(([from, to]) => Math.abs(to - from)) as [
    number,
    number,
  ];
  return wide > LONGEST * high || high > LONGEST * wide;
}

function logOf(value: number): number | null {
  return value > 0 ? Math.log10(value) : null;
}

function flatTraces(
  view: LandscapeView,
  z: (number | null)[][],
  low: number,
  high: number,
  lift: number,
): PlotlyTrace[] {
  const { landscape, palette } = view;
  const box = surroundings(landscape.x, landscape.y);
  const step = (high - low) / CONTOURS;
  const traces: PlotlyTrace[] = [
    part(view, "contour", {
      x: landscape.x,
      y: landscape.y,
      z,
      zmin: low,
      zmax: high,
      contours: {
        coloring: "fill",
        showlines: true,
        start: low + step,
        end: high - step / 2,
        size: step,
      },
      line: { color: withAlpha(palette.accent, 0.35) },
      colorscale: heightColours(palette),
      customdata: readings(view),
    }),
  ];
  const { layer } = view;
  if (layer) {
    const levels = layer.landscape.values.map((row) =>
      row.map((value) => (value === null ? null : view.log ? logOf(value + lift) : value)),
    );
    traces.push(
      part(view, "layer", {
        x: layer.landscape.x,
        y: layer.landscape.y,
        z: levels,
        contours: {
          coloring: "none",
          showlines: true,
          ...(layer.levels ?? { start: low + step, end: high, size: 2 * step }),
        },
        line: { color: layer.colour, ...(layer.width && { width: layer.width }) },
      }),
    );
  }
  for (const border of view.borders ?? []) traces.push(lineOn(view, "border", border));
  const paths = view.paths ?? [];
  for (const path of paths) traces.push(lineOn(view, "path", path));
  paths.forEach((path, index) => {
    if (path.here !== true) return;
    traces.push(...hereOf(view, path, hiddenBy(path, paths.slice(0, index), landscape)));
  });
  for (const arrow of view.arrows ?? []) traces.push(lineOn(view, "arrow", arrow));
  const names = (view.names ?? []).filter((name) => isInside(box, name.at));
  if (names.length > 0) {
    traces.push(
      part(view, "name", {
        x: names.map((name) => name.at[0]),
        y: names.map((name) => name.at[1]),
        text: names.map((name) => name.text),
        textfont: {
          size: 11 * view.scale,
          weight: 600,
          color: names.map((name) => name.colour),
          shadow: HALO.map((place) => `${place} ${palette.panel}`).join(","),
        },
      }),
    );
  }
  return traces;
}

/** A marker where a path ends, or, where it has left the picture, where it did so. */
function hereOf(view: LandscapeView, path: PlanePath, under: number): PlotlyTrace[] {
  const { landscape, palette } = view;
  const end = path.points.at(-1);
  if (end === undefined) return [];
  const frame: Box = [endsOf(landscape.x), endsOf(landscape.y)];
  const inside = isInside(frame, end);
  const exit = inside ? null : clipped(path.points, frame).at(-1);
  if (exit === undefined) return [];
  const at = exit ?? end;
  return [
    part(view, "here", {
      x: [at[0]],
      y: [at[1]],
      marker: {
        color: path.look.colour,
        symbol: exit === null ? (path.look.marker ?? "circle") : pointerOut(frame, at),
        // The end of one that others lie under is smaller, so that theirs show as rings.
        size: HERE * SMALLER ** under,
        line: { width: 2, color: palette.panel },
      },
      ...(exit !== null && {
        cliponaxis: false,
        ...sayings(path.look, [`${path.name ?? "It"} goes on outside this picture`]),
      }),
    }),
  ];
}

/** Pixels across the marker of an end, and what is left of them above another. */
const HERE = 12;
const SMALLER = 0.66;
/** Ends that are nearer, as a share of the picture, lie on one another. */
const SAME = 0.008;

/** How many of the other paths' ends lie at the place of this one's. */
function hiddenBy(path: PlanePath, others: readonly PlanePath[], { x, y }: Landscape): number {
  const end = path.points.at(-1);
  const [wide, high] = [x, y].map((axis) => SAME * ((axis.at(-1) ?? 0) - (axis[0] ?? 0)));
  return others.filter((other) => {
    const at = other.points.at(-1);
    if (other.here !== true || at === undefined || end === undefined) return false;
    return Math.abs(at[0] - end[0]) <= (wide ?? 0) && Math.abs(at[1] - end[1]) <= (high ?? 0);
  }).length;
}

function endsOf(axis: readonly number[]): [number, number] {
  return [axis[0] ?? 0, axis.at(-1) ?? 0];
}

/** Plotly's triangle that points out of the frame at a place on its edge. */
function pointerOut([[left, right], [bottom, top]]: Box, [a, b]: PlanePoint): string {
  const gaps = [
    { symbol: "triangle-left", gap: (a - left) / (right - left) },
    { symbol: "triangle-right", gap: (right - a) / (right - left) },
    { symbol: "triangle-down", gap: (b - bottom) / (top - bottom) },
    { symbol: "triangle-up", gap: (top - b) / (top - bottom) },
  ];
  return gaps.reduce((least, one) => (one.gap < least.gap ? one : least)).symbol;
}

function lineOn(
  view: LandscapeView,
  role: "path" | "border" | "arrow",
  path: PlanePath,
): PlotlyTrace {
  const { colour, dash = "solid", width, opacity } = path.look;
  const points = clipped(path.points, surroundings(view.landscape.x, view.landscape.y));
  return part(view, role, {
    x: points.map((point) => point[0]),
    y: points.map((point) => point[1]),
    line: { color: colour, dash, ...(width && { width }) },
    ...(opacity !== undefined && { opacity }),
    ...(role === "path" && {
      marker: { color: colour, size: points.length > 60 ? 2 : 4 },
    }),
    ...sayings(path.look, path.says),
    ...(role === "arrow" && { marker: { color: colour, ...(width && { size: 7 + 3 * width }) } }),
  });
}

/** The point of the plane under a place of the drawn picture, in pixels; null outside. */
export function pointUnder(
  layout: PlotlyLayout,
  size: { width: number; height: number },
  left: number,
  top: number,
): PlanePoint | null {
  const margin = layout.margin as { l: number; r: number; t: number; b: number };
  const [x0, x1] = (layout.xaxis as { range: [number, number] }).range;
  const { range, scaleanchor } = layout.yaxis as { range: [number, number]; scaleanchor?: unknown };
  const [y0, y1] = range;
  const room = {
    width: size.width - margin.l - margin.r,
    height: size.height - margin.t - margin.b,
  };
  // At one scale the plot is as large as fits, at the top of its room and in the middle of it.
  const unit = Math.min(room.width / (x1 - x0), room.height / (y1 - y0));
  const plot = scaleanchor ? { width: unit * (x1 - x0), height: unit * (y1 - y0) } : room;
  const u = (left - margin.l - (room.width - plot.width) / 2) / plot.width;
  const v = (top - margin.t) / plot.height;
  if (!(u >= 0 && u <= 1 && v >= 0 && v <= 1)) return null;
  return [x0 + u * (x1 - x0), y1 - v * (y1 - y0)];
}
