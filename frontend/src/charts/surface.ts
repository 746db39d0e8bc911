/** A loss over a plane in three dimensions, with the paths on it. Pure. */

import { formatHeight } from "../format";
import { heightAt, heightColours, type Landscape, type PlanePoint } from "./landscape";
import { type LandscapeView, type PlanePath, part, readings, sayings } from "./plane";
import type { PlotlyLayout, PlotlyTrace } from "./plotly";

export function sceneOf(
  view: LandscapeView,
  low: number,
  high: number,
  lift: number,
): PlotlyLayout {
  const scene = (view.template.layout.scene ?? {}) as Record<string, PlotlyLayout>;
  const { palette } = view;
  const look = { color: palette.faint, gridcolor: palette.line, showbackground: false };
  const title = (text: string): PlotlyLayout => ({
    text,
    font: { size: 11 * view.scale, color: palette.faint },
  });
  const ticks = [0, 1, 2, 3].map((k) => low + ((high - low) * k) / 3);
  const words = ticks.map((at) => formatHeight((view.log ? 10 ** at : at) - lift));
  return {
    ...scene,
    xaxis: { ...scene.xaxis, ...look, title: title(view.titles[0]) },
    yaxis: { ...scene.yaxis, ...look, title: title(view.titles[1]) },
    zaxis: {
      ...scene.zaxis,
      ...look,
      title: title(view.log ? `${view.label}, log` : view.label),
      range: [low, high + (high - low) * 0.02],
      tickmode: "array",
      tickvals: ticks,
      ticktext: words,
    },
  };
}

export function surfaceTraces(
  view: LandscapeView,
  z: (number | null)[][],
  low: number,
  high: number,
  height: (value: number | null) => number | null,
): PlotlyTrace[] {
  const { landscape } = view;
  const traces = [
    part(view, "surface", {
      x: landscape.x,
      y: landscape.y,
      z: z.map((row) => row.map((value) => (value === null ? null : Math.min(value, high)))),
      cmin: low,
      cmax: high,
      colorscale: heightColours(view.palette),
      customdata: readings(view),
    }),
  ];
  for (const path of view.paths ?? []) {
    const walk = followed(path, landscape);
    const lifted = walk.points.map((point) => height(heightAt(landscape, point)));
    // Points beside the surface would take the room of the picture, though they are not drawn.
    const over = (axis: 0 | 1) =>
      walk.points.map((point, index) => (lifted[index] === null ? null : point[axis]));
    const { colour } = path.look;
    const last = walk.points.length - 1;
    const sizeAt = (index: number): number => {
      if (index === last && path.here === true) return 7;
      return walk.steps.has(index) ? 2 : 0;
    };
    traces.push(
      part(view, "path3d", {
        x: over(0),
        y: over(1),
        z: lifted.map((value) => (value === null ? null : value + (high - low) * LIFT)),
        line: { color: colour },
        ...sayings(path.look, walk.says),
        marker: { color: colour, size: walk.points.map((_, index) => sizeAt(index)) },
      }),
    );
  }
  return traces;
}

/** How far above the surface paths are drawn, as a share of its height. */
const LIFT = 0.012;
/** Most points between two steps of a path. */
const MOST_BETWEEN = 80;

/**
 * A path with points between its steps, one a cell of the grid or more: a straight line between two
 * steps would run through a hill between them.
 */
function followed(path: PlanePath, { x, y }: Landscape) {
  const cell = (axis: readonly number[]): number =>
    ((axis.at(-1) ?? 0) - (axis[0] ?? 0)) / Math.max(1, axis.length - 1) || 1;
  const points: PlanePoint[] = [];
  const says: string[] = [];
  const steps = new Set<number>();
  path.points.forEach((point, index) => {
    const before = path.points[index - 1];
    if (before !== undefined) {
      const cells = Math.hypot((point[0] - before[0]) / cell(x), (point[1] - before[1]) / cell(y));
      const parts = Math.min(MOST_BETWEEN, Math.max(1, Math.ceil(2 * cells) || 1));
      for (let k = 1; k < parts; k += 1) {
        const share = k / parts;
        points.push([
          before[0] + share * (point[0] - before[0]),
          before[1] + share * (point[1] - before[1]),
        ]);
        says.push(path.says?.[index - 1] ?? "");
      }
    }
    steps.add(points.length);
    points.push(point);
    says.push(path.says?.[index] ?? "");
  });
  return { points, steps, says: path.says === undefined ? undefined : says };
}
