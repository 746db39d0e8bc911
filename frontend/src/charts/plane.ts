/** What a picture of a loss over a plane is asked to show. */

import { formatHeight } from "../format";
import type { Landscape, PlanePoint } from "./landscape";
import type { PlotlyTrace } from "./plotly";
import { type Palette, type PlaneRole, prototype, type Template } from "./templates";

/** How something on the plane looks. */
export interface PlaneLook {
  colour: string;
  dash?: string;
  marker?: string;
  width?: number;
  opacity?: number;
}

export interface PlanePath {
  points: readonly PlanePoint[];
  look: PlaneLook;
  /** Whose it is: for the table. */
  name?: string;
  /** What hovering reads at each point. */
  says?: readonly string[];
  /** A large marker at its end. */
  here?: boolean;
}

export interface PlaneName {
  at: PlanePoint;
  text: string;
  colour: string;
}

export interface Layer {
  landscape: Landscape;
  colour: string;
  label: string;
  /** Heights of its lines; those of the landscape where they are left out. */
  levels?: { start: number; end: number; size: number };
  width?: number;
}

export interface LandscapeView {
  template: Template;
  palette: Palette;
  landscape: Landscape;
  /** Logarithmic heights; they are then all positive, or shifted to be. */
  log: boolean;
  /** Landscape that the colours run between, so that pictures can share them; null: the picture's. */
  colours: readonly [number, number] | null;
  surface: boolean;
  paths?: readonly PlanePath[];
  arrows?: readonly PlanePath[];
  borders?: readonly PlanePath[];
  names?: readonly PlaneName[];
  /** A second function on the same grid, as lines. */
  layer?: Layer | null;
  titles: readonly [string, string];
  label: string;
  scale: number;
}

/** A trace of the template's prototype, with what is its own. */
export function part(view: LandscapeView, role: PlaneRole, own: PlotlyTrace): PlotlyTrace {
  const shape = prototype(view.template, role) ?? {};
  const both = (key: string) => ({
    ...(shape[key] as object | undefined),
    ...(own[key] as object | undefined),
  });
  return {
    ...shape,
    ...own,
    meta: { role },
    line: both("line"),
    ...("marker" in own || "marker" in shape ? { marker: both("marker") } : {}),
  };
}

/** What hovering reads: the height, and the second layer with the gap between the two. */
export function readings(view: LandscapeView): string[][] {
  return view.landscape.values.map((row, j) =>
    row.map((value, i) => {
      const first = `${view.label} ${formatHeight(value)}`;
      if (!view.layer) return first;
      const other = view.layer.landscape.values[j]?.[i] ?? null;
      const gap = value === null || other === null ? null : other - value;
      return `${first}<br>${view.layer.label} ${formatHeight(other)}, gap ${formatHeight(gap)}`;
    }),
  );
}

/** A path that says nothing lets what is under it be read. */
export function sayings(look: PlaneLook, says: readonly string[] | undefined): PlotlyTrace {
  if (says === undefined) return {};
  return {
    customdata: says,
    hoverinfo: "all",
    hovertemplate: "%{customdata}<extra></extra>",
    hoverlabel: { font: { color: look.colour } },
  };
}
