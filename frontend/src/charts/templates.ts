/** The chart templates that the server makes (`GET /api/figures`), and their prototypes of traces. */

import type { Figure, PlotlyTrace } from "./plotly";

export type Role =
  | "ghost"
  | "band"
  | "raw"
  | "smooth"
  | "label"
  | "fan"
  | "heat"
  | PlaneRole
  | "line";

/** What lies on a plane (`app/figures/planes.py`). */
export type PlaneRole =
  | "contour"
  | "layer"
  | "path"
  | "here"
  | "border"
  | "arrow"
  | "name"
  | "surface"
  | "path3d";

/** One metric that a chart can show. */
export interface Choice {
  metric: string;
  title: string;
  unit: string;
  /** Plotly's template of one value, e.g. `%{y:.1f} %`. */
  hover: string;
  description: string;
  log: boolean;
  /** Whether its logarithmic axis goes to both sides of zero. */
  signed: boolean;
  factor: number;
  bounds: [number | null, number | null];
  /** The events that it is read from. */
  source: Source;
}

export type Source = "metrics" | "evaluation" | "curvature" | "landscape";

/** Colours of one theme, `#rrggbb`; `arms` by slot, `ink` for text. */
export interface Palette {
  panel: string;
  ink: string;
  soft: string;
  faint: string;
  line: string;
  grid: string;
  accent: string;
  warn: string;
  /** The symbols g, C and λ. */
  gradient: string;
  curvature: string;
  damping: string;
  arms: { color: string; ink: string }[];
}

export interface TemplateMeta {
  chart: string;
  kind: "curves" | "fan" | "heat" | "plane" | "lines";
  source: Source;
  span: "hero" | "small" | "half";
  choices: Choice[];
  palettes: { light: Palette; dark: Palette };
}

export interface TraceMeta {
  arm: number | "*";
  metric: string;
  role: Role;
}

export interface Template extends Figure {
  data: (PlotlyTrace & { meta: TraceMeta })[];
  layout: Figure["layout"] & { meta: TemplateMeta; margin: Margin };
}

export interface Margin {
  l: number;
  r: number;
  t: number;
  b: number;
}

/** Every template by its chart's name. */
export type Templates = Record<string, Template>;

/** The prototype of a role, or undefined where the chart does not draw it. */
export function prototype(template: Template, role: Role): PlotlyTrace | undefined {
  return template.data.find((trace) => trace.meta.role === role);
}

/**
 * What a chart can show of a log. Test metrics are the task's own: those that the log has, primary
 * first, with plain words for one that no template knows.
 */
export function choicesFor(
  template: Template,
  evaluated: readonly string[],
  primary: string | null,
): Choice[] {
  const { source, choices } = template.layout.meta;
  if (source !== "evaluation") return choices;
  const names = evaluated.length > 0 ? evaluated : primary === null ? [] : [primary];
  const named = (name: string) => choices.find((c) => c.metric === name);
  const known = names.map((name) => named(name) ?? validation(name, named) ?? unknown(name));
  const rank = (choice: Choice): number => {
    if (choice.metric.startsWith(VALIDATION)) return choices.length;
    return choice.metric === primary ? -1 : choices.findIndex((c) => c.metric === choice.metric);
  };
  return known.length > 0 ? known.sort((a, b) => rank(a) - rank(b)) : choices.slice(0, 1);
}

const VALIDATION = "validation_";

/** A known metric as it is measured on the validation part. */
function validation(name: string, named: (name: string) => Choice | undefined): Choice | undefined {
  const base = name.startsWith(VALIDATION) ? named(name.slice(VALIDATION.length)) : undefined;
  return (
    base && {
      ...base,
      metric: name,
      title: `${base.title}, validation`,
      description: `${base.description} On data kept aside to stop and to choose settings by.`,
    }
  );
}

function unknown(metric: string): Choice {
  const words = metric.replaceAll("_", " ");
  return {
    metric,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    unit: "on the test set, ± standard error",
    hover: "%{y:.3r}",
    description: `The task's metric ${words}, on its test set.`,
    log: false,
    signed: false,
    factor: 1,
    bounds: [null, null],
    source: "evaluation",
  };
}

/** `#rrggbb` at an opacity. */
export function withAlpha(colour: string, opacity: number): string {
  const channel = (at: number): number => Number.parseInt(colour.slice(at, at + 2), 16);
  return `rgba(${channel(1)},${channel(3)},${channel(5)},${opacity})`;
}
