/** The grid of a sweep: typed, laid out as a map, and its cells judged. */

import type { Scalar, SweptAxis, SweptRecord } from "../../api/sweeps";
import { formatSetting, numberIn } from "../../format";

/** The values in a line of text, e.g. "0.01, 0.1, 1"; null: there is an empty one, or none. */
export function valuesIn(text: string): Scalar[] | null {
  const parts = text.split(",").map((part) => part.trim());
  return parts.includes("") ? null : parts.map(scalarIn);
}

function scalarIn(text: string): Scalar {
  if (text === "true" || text === "false") return text === "true";
  if (text === "null") return null;
  return numberIn(text) ?? text;
}

export function scalarWords(value: Scalar | undefined): string {
  return typeof value === "number" ? formatSetting(value) : String(value);
}

/** Paths of all settings of a spec that a grid can vary: numbers, names, yes or no. */
export function pathsOf(spec: unknown, path = ""): string[] {
  if (typeof spec !== "object" || spec === null) {
    const isOffered = !/^(|seed|device|seconds)$|\.label$/.test(path);
    return isOffered && typeof spec !== "object" ? [path] : [];
  }
  return Object.entries(spec).flatMap(([name, value]) =>
    pathsOf(value, path === "" ? name : `${path}.${name}`),
  );
}

/** What a map shows: the last axis across, the one before it down, the others held at a value. */
export interface Layout {
  across: SweptAxis;
  down: SweptAxis | null;
  held: readonly SweptAxis[];
  /** Index of the cell in a row and a column, given the places of the held axes. */
  indexAt(row: number, column: number, places: readonly number[]): number;
}

/** The layout of a grid; null: it has no axis. */
export function layoutOf(grid: readonly SweptAxis[]): Layout | null {
  const across = grid.at(-1);
  if (across === undefined) return null;
  const down = grid.at(-2) ?? null;
  const held = grid.slice(0, Math.max(0, grid.length - 2));
  const rows = down?.values.length ?? 1;
  return {
    across,
    down,
    held,
    indexAt(row, column, places) {
      const slice = held.reduce((sum, axis, i) => sum * axis.values.length + (places[i] ?? 0), 0);
      return (slice * rows + row) * across.values.length + column;
    },
  };
}

type Better = string | null;

/** The best of the cells; the first of equals, null: none is known. */
export function bestOf(records: Iterable<SweptRecord | null>, better: Better): SweptRecord | null {
  let best: SweptRecord | null = null;
  let value = 0;
  for (const record of records) {
    if (record === null || record.mean === null) continue;
    const isBetter = better === "lower" ? record.mean < value : record.mean > value;
    if (best === null || isBetter) {
      best = record;
      value = record.mean;
    }
  }
  return best;
}

/** From the palest to the darkest: a few broken cells leave the others their shades. */
const TAIL = 0.9;

/** Values of the palest and of the darkest shade; null: nothing is known. */
export function shadesOf(means: readonly number[], better: Better): [number, number] | null {
  if (means.length === 0) return null;
  const sign = better === "lower" ? -1 : 1;
  const sorted = [...means].sort((a, b) => sign * (b - a)); // the best first
  const pale = sorted[Math.floor((sorted.length - 1) * TAIL)] ?? 0;
  const dark = sorted[0] ?? 0;
  return pale === dark ? [dark - sign * (Math.abs(dark) || 1), dark] : [pale, dark];
}

export type Standing = "better" | "worse" | "open";

/** Whether a cell's interval of the difference to the first arm leaves out zero; null: unknown. */
export function standingOf(record: SweptRecord, better: Better): Standing | null {
  const { difference } = record;
  if (difference === null || difference.low === null || difference.high === null) return null;
  if (difference.low <= 0 && difference.high >= 0) return "open";
  return difference.low > 0 === (better !== "lower") ? "better" : "worse";
}
