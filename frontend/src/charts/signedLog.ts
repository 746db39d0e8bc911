/** One axis for values of both signs over many powers of ten: logarithmic, linear around zero. */

import { type AxisPlan, decade, type Extent, type Tick } from "./axes";

/** Decades shown below the largest value of the calmest curve, before the axis turns linear. */
const DECADES = 4;
/** Decades in all: beyond, curves lie too far apart for one axis. */
const MOST_DECADES = 14;
/** Decades between the curves that share an axis; the calmest keeps what is left of the most. */
const APART = MOST_DECADES - 2;
/** Decades above the largest curve that fits, in which those that do not are seen to leave. */
const LEAVING = 2;
/** Curves below are zero: four decades less would not be a number any more. */
const SMALLEST = 1e-290;
/** Space beyond the extreme values, as a share of what lies between them. */
const MARGIN = 0.04;
const FEWEST_TICKS = 4;
const MOST_TICKS = 7;

export interface SignedAxis {
  plan: AxisPlan;
  /** Where a value lies, in the terms of the plan's range. */
  transform(value: number): number;
}

/** Logarithmic to both sides of zero, linear within `smallest` of it: asinh in powers of ten. */
export function signedLog(value: number, smallest: number): number {
  const ratio = value / (2 * smallest);
  if (Number.isFinite(ratio) || !Number.isFinite(value)) return Math.asinh(ratio) / Math.LN10;
  // The ratio is too large for a number, its logarithm is not.
  return Math.sign(value) * (Math.log10(Math.abs(value)) - Math.log10(smallest));
}

/**
 * The axis of curves with these extents, with at most about `room` ticks. It is logarithmic down to
 * four decades below the largest value of the calmest curve, and linear from there to zero, so that
 * the explosion of another curve does not press the calm one flat. A curve that lies far beyond the
 * others leaves the plot.
 */
export function signedAxis(curves: readonly Extent[], room = MOST_TICKS): SignedAxis {
  const sizes = curves.map(sizeOf).filter((size) => size >= SMALLEST);
  const [calm, top] = fitting(sizes.map(decadeOf));
  const bottom = Math.max(calm - DECADES, top - MOST_DECADES);
  const limit = 10 ** (top + LEAVING);
  let low = 0;
  let high = sizes.length === 0 ? 1 : 0;
  for (const curve of curves) {
    low = Math.min(low, Math.max(curve.low, -limit));
    high = Math.max(high, Math.min(curve.high, limit));
  }
  const transform = (value: number): number => signedLog(value, 10 ** bottom);
  const margin = MARGIN * (transform(high) - transform(low));
  const plan: AxisPlan = {
    log: false,
    range: [transform(low) - margin, transform(high) + margin],
    ticks: ticksOf(bottom, low, high, transform, room),
    floor: null,
  };
  return { plan, transform };
}

/** The largest value to either side of zero; 0 where there is none. */
function sizeOf({ low, high }: Extent): number {
  return low > high ? 0 : Math.max(Math.abs(low), Math.abs(high));
}

function decadeOf(size: number): number {
  return Math.floor(Math.log10(size) + 1e-9);
}

/**
 * The least and the greatest of `decades`, the decades of the curves' largest values, that fit on one
 * axis. While they lie too far apart, the one furthest from 1 is left out.
 */
function fitting(decades: readonly number[]): [number, number] {
  const kept = decades.toSorted((a, b) => a - b);
  for (;;) {
    const [first = 0] = kept;
    const last = kept.at(-1) ?? 0;
    if (last - first <= APART) return [first, last];
    if (Math.abs(last) >= Math.abs(first)) kept.pop();
    else kept.shift();
  }
}

/** Zero, and powers of ten at even distances from it on the sides that have values. */
function ticksOf(
  bottom: number,
  low: number,
  high: number,
  transform: (value: number) => number,
  room: number,
): Tick[] {
  const most = Math.min(MOST_TICKS, Math.max(FEWEST_TICKS, Math.floor(room)));
  const below = low < 0 ? Math.max(0, decadeOf(-low) - bottom) : 0;
  const above = high > 0 ? Math.max(0, decadeOf(high) - bottom) : 0;
  let stride = 1;
  while (1 + Math.floor(below / stride) + Math.floor(above / stride) > most) stride += 1;
  const ticks: Tick[] = [];
  for (let k = -Math.floor(below / stride); k <= Math.floor(above / stride); k += 1) {
    if (k === 0) {
      ticks.push({ value: 0, text: "0" });
      continue;
    }
    const { value, text } = decade(bottom + Math.abs(k) * stride);
    ticks.push({ value: transform(Math.sign(k) * value), text: k < 0 ? `−${text}` : text });
  }
  return ticks;
}
