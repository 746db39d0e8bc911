/** The chart templates that the server makes (`GET /api/figures`), and their prototypes of traces. */

import type { Schemas } from "../api/types";
import type { Figure, PlotlyTrace } from "./plotly";

export type TraceMeta = Schemas["TraceMeta"];
export type Role = TraceMeta["role"];

/** What lies on a plane (`app/figures/planes.py`). */
export type PlaneRole = Extract<
  Role,
  "contour" | "layer" | "path" | "here" | "border" | "arrow" | "name" | "surface" | "path3d"
>;

export type Palette = Schemas["Palette"];
export type Margin = Pick<Schemas["Margin"], "l" | "r" | "t" | "b">;
export type Source = Schemas["TemplateMeta"]["source"];

/** One metric that a chart can show; in a template each says the events that it is read from. */
export type Choice = Omit<Schemas["Choice"], "source"> & { source: Source };

export type TemplateMeta = Omit<Schemas["TemplateMeta"], "choices"> & { choices: Choice[] };

export interface Template extends Figure {
  data: (PlotlyTrace & { meta: TraceMeta })[];
  layout: Figure["layout"] & { meta: TemplateMeta; margin: Margin };
}

/** Every template by its chart's name. */
export type Templates = Record<string, Template>;

/** The prototype of a role, or undefined where the chart does not draw it. */
export function prototype(template: Template, role: Role): PlotlyTrace | undefined {
  return template.data.find((trace) => trace.meta.role === role);
}

/**
 * The metrics of a log that a chart can show. Test metrics depend on the task: these are the ones in
 * the log, the primary one first, in the task's own words. One that no template knows has its name.
 */
export function choicesFor(
  template: Template,
  evaluated: readonly string[],
  primary: string | null,
  task: string | null = null,
): Choice[] {
  const { source, choices } = template.layout.meta;
  if (source !== "evaluation") return choices;
  const names = evaluated.length > 0 ? evaluated : primary === null ? [] : [primary];
  const named = (name: string) => {
    const all = choices.filter((c) => c.metric === name);
    return all.find((c) => task !== null && c.task === task) ?? all.find((c) => c.task == null);
  };
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
    task: null,
  };
}

/** `#rrggbb` at an opacity. */
export function withAlpha(colour: string, opacity: number): string {
  const channel = (at: number): number => Number.parseInt(colour.slice(at, at + 2), 16);
  return `rgba(${channel(1)},${channel(3)},${channel(5)},${opacity})`;
}
