/** A landscape: the range of its heights, what is between grid points, their colours. Pure. */

import type { Palette } from "./templates";

/** A loss over a plane, on a grid: `values[j][i]` is at `(x[i], y[j])`; null where there is none. */
export interface Landscape {
  x: readonly number[];
  y: readonly number[];
  values: readonly (readonly (number | null)[])[];
}

/** A point of the plane. */
export type PlanePoint = readonly [number, number];

/** The point with two coordinates; null where one is not finite. */
export function pointAt(a: number | null, b: number | null): PlanePoint | null {
  return a === null || b === null ? null : [a, b];
}

/** Lowest and highest finite heights of several landscapes; null if there are none. */
export function heightRange(pictures: readonly Landscape[], log = false): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { values } of pictures) {
    for (const row of values) {
      for (const value of row) {
        if (value === null || (log && value <= 0)) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  }
  return low <= high ? [low, high] : null;
}

/** The heights that colours are worth spending on: all but the lowest and highest hundredth. */
export function trimmedRange({ values }: Landscape): [number, number] | null {
  const finite = values
    .flat()
    .filter((value): value is number => value !== null && Number.isFinite(value))
    .sort((a, b) => a - b);
  const low = finite[Math.floor(finite.length * 0.01)];
  const high = finite[Math.ceil(finite.length * 0.99) - 1];
  return low === undefined || high === undefined ? null : [low, high];
}

/** What makes heights fit a log scale: 0 where they are positive, else what lifts them above 0. */
export function liftOf(range: readonly [number, number] | null): number {
  if (range === null || range[0] > 0) return 0;
  return -range[0] + Math.max(1e-12, (range[1] - range[0]) * 1e-4);
}

/** The height between grid points, by the four around it; null outside or beside a gap. */
export function heightAt({ x, y, values }: Landscape, [a, b]: PlanePoint): number | null {
  const i = cellOf(x, a);
  const j = cellOf(y, b);
  if (i === null || j === null) return null;
  const corners = [values[j]?.[i], values[j]?.[i + 1], values[j + 1]?.[i], values[j + 1]?.[i + 1]];
  if (corners.some((corner) => corner === null || corner === undefined)) return null;
  const [p, q, r, s] = corners as [number, number, number, number];
  const u = (a - (x[i] as number)) / ((x[i + 1] as number) - (x[i] as number));
  const v = (b - (y[j] as number)) / ((y[j + 1] as number) - (y[j] as number));
  return (p * (1 - u) + q * u) * (1 - v) + (r * (1 - u) + s * u) * v;
}

function cellOf(axis: readonly number[], at: number): number | null {
  if (!(at >= (axis[0] as number) && at <= (axis.at(-1) as number))) return null;
  for (let i = axis.length - 2; i >= 0; i -= 1) if (at >= (axis[i] as number)) return i;
  return null;
}

/** `#rrggbb` between two colours. */
export function mixed(from: string, to: string, share: number): string {
  const channel = (at: number): string => {
    const [a, b] = [from, to].map((c) => Number.parseInt(c.slice(at, at + 2), 16)) as [
      number,
      number,
    ];
    return Math.round(a + (b - a) * share)
      .toString(16)
      .padStart(2, "0");
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}

/** Deep is low, paper is high. */
export function heightColours(palette: Palette): [number, string][] {
  return [0, 0.25, 0.5, 0.75, 1].map((at) => [
    at,
    mixed(palette.panel, palette.accent, 0.72 * (1 - at) ** 1.25 + 0.03),
  ]);
}
