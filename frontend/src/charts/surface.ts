/** A loss over a plane in three dimensions, with the paths on it. Pure. */

import { formatHeight } from "../format";
import { heightAt, heightColours } from "./landscape";
import { type LandscapeView, part, readings, sayings } from "./plane";
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
  const ticks = [0, 1, 2, 3].map((k) => low + ((high - low) * k) / 3);
  const words = ticks.map((at) => formatHeight((view.log ? 10 ** at : at) - lift));
  return {
    ...scene,
    xaxis: { ...scene.xaxis, ...look },
    yaxis: { ...scene.yaxis, ...look },
    zaxis: {
      ...scene.zaxis,
      ...look,
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
    const lifted = path.points.map((point) => height(heightAt(landscape, point)));
    // Points beside the surface would take the room of the picture, though they are not drawn.
    const over = (axis: 0 | 1) =>
      path.points.map((point, index) => (lifted[index] === null ? null : point[axis]));
    const { colour } = path.look;
    const last = path.points.length - 1;
    traces.push(
      part(view, "path3d", {
        x: over(0),
        y: over(1),
        z: lifted.map((value) => (value === null ? null : value + (high - low) * 0.012)),
        line: { color: colour },
        ...sayings(path),
        marker: {
          color: colour,
          size: path.points.map((_, index) => (index === last && path.here === true ? 7 : 2)),
        },
      }),
    );
  }
  return traces;
}
