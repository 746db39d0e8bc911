/** What a link carries: one declarative list of properties with types and defaults. */

import type { ChartChoice } from "./signals";

interface Property<T> {
  initial: T;
  /** The value in `text`; undefined: not a value, the default stands. */
  read(text: string): T | undefined;
  write(value: T): string;
}

function text(initial = ""): Property<string> {
  return { initial, read: (value) => value, write: (value) => value };
}

function choice<const T extends string>(options: readonly T[], initial: NoInfer<T>): Property<T> {
  return {
    initial,
    read: (value) => options.find((option) => option === value),
    write: (value) => value,
  };
}

function integer<T extends number | null>(
  initial: T,
  min: number,
  max: number,
): Property<T | number> {
  return {
    initial,
    read(value) {
      const number = Number(value);
      const fits = value !== "" && Number.isInteger(number) && number >= min && number <= max;
      return fits ? number : undefined;
    },
    write: String,
  };
}

function flag(): Property<boolean> {
  return { initial: false, read: (value) => value !== "0", write: () => "" };
}

function list<T>(item: Property<T>): Property<T[]> {
  return {
    initial: [],
    read(value) {
      const items = value.split(",").map((part) => item.read(part));
      return items.every((part) => part !== undefined) ? items : undefined;
    },
    write: (values) => values.map((value) => item.write(value)).join(","),
  };
}

/** A palette slot; `-` for one that follows from what the arm is. */
const colour: Property<number | null> = {
  initial: null,
  read: (value) => (value === "-" ? null : /^[0-5]$/.test(value) ? Number(value) : undefined),
  write: (value) => (value === null ? "-" : String(value)),
};

/** A choice for one chart: `loss~newton_loss`, `loss~newton_loss~log`, `loss~~linear`. */
const chartChoice: Property<[string, ChartChoice]> = {
  initial: ["", { metric: null, log: null }],
  read(value) {
    const [name = "", metric = "", scale = ""] = value.split("~");
    if (name === "" || !["", "log", "linear"].includes(scale)) return undefined;
    return [name, { metric: metric || null, log: scale === "" ? null : scale === "log" }];
  },
  write([name, { metric, log }]) {
    const scale = log === null ? "" : log ? "~log" : "~linear";
    return `${name}~${metric ?? ""}${scale}`;
  },
};

/** The id of a run. */
const runId: Property<string> = {
  initial: "",
  read: (value) => (/^[\w-]+$/.test(value) ? value : undefined),
  write: (value) => value,
};

/** Every property of the page that a link carries. Anything else in an address is ignored. */
export const URL_PROPERTIES = {
  /** Preset to load, by name. */
  preset: text(),
  /** Spec to load, as `encodeSpec` writes it; wins over `preset`. */
  spec: text(),
  /** Run whose spec to load, without the run. */
  like: runId,
  /** Playback step; null: where playback would be. */
  step: integer(null, 0, 1e9),
  /** Playback speed in steps a second; 0: as fast as the run computes. */
  speed: integer(0, 0, 1e6),
  /** What the charts' x axes count. */
  x: choice(["step", "seconds"], "step"),
  xaxis: choice(["linear", "log"], "linear"),
  /** Overrides each chart's own y axis; `auto` leaves it. */
  yaxis: choice(["auto", "linear", "log"], "auto"),
  /** Width of the smoothing in logged points; 0: each chart's own. */
  smooth: integer(0, 0, 10_000),
  /** Metric and scale of single charts. */
  charts: list(chartChoice),
  /** Gradient norms that count as vanishing and exploding, as powers of ten. */
  vanishing: integer(-6, -12, 0),
  exploding: integer(2, 0, 12),
  /** Runs laid over this one. */
  with: list(runId),
  /** Colour of each arm. */
  colours: list(colour),
  theme: choice(["system", "light", "dark"], "system"),
  /** Larger type and no controls, for a projector. */
  present: flag(),
};

type Properties = typeof URL_PROPERTIES;
export type UrlState = {
  [K in keyof Properties]: Properties[K] extends Property<infer T> ? T : never;
};

const ENTRIES = Object.entries(URL_PROPERTIES) as [keyof UrlState, Property<unknown>][];

/** The state in an address's query; defaults for what it leaves out or gets wrong. */
export function readUrl(search: string): UrlState {
  const given = new URLSearchParams(search);
  const state: Record<string, unknown> = {};
  for (const [name, property] of ENTRIES) {
    const value = given.get(name);
    state[name] = (value === null ? undefined : property.read(value)) ?? property.initial;
  }
  return state as UrlState;
}

/** The query of a state, defaults left out: "" or "?...". */
export function writeUrl(state: Partial<UrlState>): string {
  const parts: string[] = [];
  for (const [name, property] of ENTRIES) {
    const value = state[name];
    if (value === undefined) continue;
    const text = property.write(value);
    if (text === property.write(property.initial) && !isSetFlag(value)) continue;
    parts.push(text === "" ? name : `${name}=${encodeURIComponent(text).replaceAll("%2C", ",")}`);
  }
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

/** A flag writes the same text whether set or not: it is there or it is not. */
function isSetFlag(value: unknown): boolean {
  return value === true;
}
