/** What a link to the comparing page carries: one declarative list of properties. */

import {
  choice,
  flag,
  integer,
  list,
  type Property,
  readQuery,
  type StateOf,
  text,
  writeQuery,
} from "./properties";
import type { ChartChoice } from "./signals";

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
  /** The plane of the landscapes, and how they draw. */
  plane: choice(["auto", "run", "trajectory", "principal", "filter_normalised", "arms"], "auto"),
  points: integer(41, 21, 101),
  shape: choice(["contour", "surface"], "contour"),
  height: choice(["log", "linear"], "log"),
  shading: choice(["shared", "own"], "shared"),
  /** Runs laid over this one. */
  with: list(runId),
  /** Colour of each arm. */
  colours: list(colour),
  theme: choice(["system", "light", "dark"], "system"),
  /** Larger type and no controls, for a projector. */
  present: flag(),
};

export type UrlState = StateOf<typeof URL_PROPERTIES>;

/** The state in an address's query; defaults for what it leaves out or gets wrong. */
export function readUrl(search: string): UrlState {
  return readQuery(URL_PROPERTIES, search);
}

/** The query of a state, defaults left out: "" or "?...". */
export function writeUrl(state: Partial<UrlState>): string {
  return writeQuery(URL_PROPERTIES, state);
}
