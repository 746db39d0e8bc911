import { fixed, formatCount, power, significant } from "../format";
/**
 * Ranges and ticks of the axes: few ticks, at round numbers, that hold still while data arrives.
 *
 * Ranges move in steps (a rung at a time, not a pixel at a time), and the same data give the same
 * axis whatever came before.
 */

export interface Tick {
  value: number;
  text: string;
}

/** An axis ready to draw; `range` is in Plotly's terms: exponents of ten where `log`. */
export interface AxisPlan {
  log: boolean;
  range: [number, number];
  ticks: Tick[];
  /** Where values that a logarithm cannot show (zero, negative) are drawn; null: there are none. */
  floor: number | null;
}

export interface Extent {
  low: number;
  high: number;
  /** The least value above zero; NaN if there is none. */
  positive: number;
}

export const EMPTY: Extent = {
  low: Number.POSITIVE_INFINITY,
  high: Number.NEGATIVE_INFINITY,
  positive: Number.NaN,
};

/** The smallest extent with all `values` (NaN ignored) and `extent` in it. */
export function extend(extent: Extent, values: Iterable<number>): Extent {
  let { low, high, positive } = extent;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
    if (value > 0 && !(value >= positive)) positive = value;
  }
  return { low, high, positive };
}

/** The smallest extent with all of `extents` in it. */
export function joined(extents: readonly Extent[]): Extent {
  return extents.reduce(
    (all, { low, high, positive }) => extend(all, [low, high, positive]),
    EMPTY,
  );
}

const RUNGS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The first of 1, 1.2, 1.5, 2, ... times a power of ten that is not below `value` (> 0). */
export function rung(value: number): number {
  const scale = 10 ** Math.floor(Math.log10(value));
  const found = RUNGS.find((step) => step * scale >= value * (1 - 1e-12));
  return (found ?? 10) * scale;
}

/**
 * The x axis from 0 to a rung above `end`, the last value shown, or to `most` if that is nearer;
 * `room`: for how many ticks.
 */
export function xPlan(
  end: number,
  log: boolean,
  room: number,
  most = Number.POSITIVE_INFINITY,
): AxisPlan {
  const last = Math.max(end, Math.min(most, end > 0 ? rung(end) : 10));
  const count = Math.min(7, Math.max(2, Math.floor(room)));
  if (!log) {
    return { log, range: [0, last], ticks: evenTicks(last, count), floor: null };
  }
  const start = Math.min(1, last / 10);
  const floor = start / 2;
  // Zero has a place of its own before the first value; the first decade's text would touch it.
  const later = logTicks(Math.log10(start), Math.log10(last), count).filter(
    (tick) => tick.value > 2 * start,
  );
  const ticks = [{ value: floor, text: "0" }, ...later];
  return { log, range: [Math.log10(floor), Math.log10(last)], ticks, floor };
}

/** Ticks that share `[0, last]` out evenly where round numbers do so, at most `count` steps. */
function evenTicks(last: number, count: number): Tick[] {
  for (let parts = count; parts > 1; parts -= 1) {
    const step = last / parts;
    const scale = 10 ** Math.floor(Math.log10(step) + 1e-9);
    const digit = step / scale;
    if (Math.abs(digit - Math.round(digit)) > 1e-9) continue;
    const decimals = Math.max(0, -Math.log10(scale));
    return Array.from({ length: parts + 1 }, (_, k) => {
      const value = (k * last) / parts;
      return { value, text: plain(value, Math.round(decimals)) };
    });
  }
  return linearTicks(0, last, count);
}

/** The value axis around `extent`; `bounds`: what a metric cannot pass. */
export function yPlan(
  extent: Extent,
  log: boolean,
  bounds: readonly [number | null, number | null],
  count = 4,
): AxisPlan {
  return log ? logPlan(extent, count) : linearPlan(extent, bounds, count);
}

function linearPlan(
  extent: Extent,
  [least, most]: readonly [number | null, number | null],
  count: number,
): AxisPlan {
  let { low, high } = extent;
  // Nothing is measured yet: all that there can be, or one.
  if (low > high) [low, high] = [least ?? 0, most ?? (least ?? 0) + 1];
  if (low > 0 && low < 0.4 * high) low = 0;
  if (high < 0 && high > 0.4 * low) high = 0;
  if (high - low < 1e-9 * Math.max(Math.abs(low), Math.abs(high), 1e-300)) {
    const room = Math.abs(low) * 0.1 || 1;
    [low, high] = [low - room, high + room];
    if (least !== null) low = Math.max(low, least);
    if (most !== null) high = Math.min(high, most);
  }
  const quantum = niceStep((high - low) / count) / 2;
  const range: [number, number] = [
    Math.floor(low / quantum + 1e-9) * quantum,
    Math.ceil(high / quantum - 1e-9) * quantum,
  ];
  // A curve along a bound is not cut in half by the edge of the plot.
  const margin = (range[1] - range[0]) * 0.015;
  const ticks = linearTicks(range[0], range[1], count);
  return { log: false, range: [range[0] - margin, range[1] + margin], ticks, floor: null };
}

function logPlan(extent: Extent, count: number): AxisPlan {
  if (Number.isNaN(extent.positive)) {
    const text = extent.low < 0 ? "≤ 0" : "0";
    const floor = 0.1;
    return { log: true, range: [-1.1, 1], ticks: [{ value: floor, text }], floor };
  }
  let low = Math.log10(extent.positive);
  let high = Math.log10(Math.max(extent.high, extent.positive));
  const span = high - low;
  if (span < 0.02) [low, high] = [low - 0.15, high + 0.15];
  const quantum = span < 1 ? 0.05 : span < 2.5 ? 0.25 : 0.5;
  low = Math.floor(low / quantum - 0.1) * quantum;
  high = Math.ceil(high / quantum + 0.1) * quantum;
  const ticks = logTicks(low, high, count + 1);
  if (extent.low > 0 || extent.low > extent.high) {
    // A tick at the very edge would meet the x axis's texts.
    return { log: true, range: [low - 0.02 * (high - low), high], ticks, floor: null };
  }
  // Room for zeros below the least positive value, on a line of their own.
  const floor = low - Math.max(0.12 * (high - low), 0.1);
  const zero = { value: 10 ** floor, text: extent.low < 0 ? "≤ 0" : "0" };
  return {
    log: true,
    range: [floor - 0.02 * (high - floor), high],
    ticks: [zero, ...ticks],
    floor: 10 ** floor,
  };
}

/** 1, 2 or 5 times a power of ten, the nearest not below `rough` (> 0). */
export function niceStep(rough: number): number {
  const scale = 10 ** Math.floor(Math.log10(rough));
  const found = [1, 2, 5].find((step) => step * scale >= rough * (1 - 1e-9));
  return (found ?? 10) * scale;
}

/** Ticks at multiples of a nice step within `[low, high]`, about `count` of them. */
export function linearTicks(low: number, high: number, count: number): Tick[] {
  const step = niceStep((high - low) / count);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks: Tick[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) {
    const value = k === 0 ? 0 : k * step; // never minus zero
    ticks.push({ value, text: plain(value, decimals) });
  }
  return ticks;
}

function plain(value: number, decimals: number): string {
  if (decimals > 3) return significant(value, 3);
  return Math.abs(value) >= 1e6 ? significant(value, 3) : fixed(value, decimals);
}

/** Ticks of a logarithmic axis between two exponents, at most about `count`. */
export function logTicks(low: number, high: number, count: number): Tick[] {
  const span = high - low;
  if (span < 0.45) {
    return linearTicks(10 ** low, 10 ** high, Math.max(2, count - 1)).filter((t) => t.value > 0);
  }
  const first = Math.ceil(low - 1e-9);
  const last = Math.floor(high + 1e-9);
  if (span >= 1.7) {
    const stride = Math.max(1, Math.ceil((last - first + 1) / count));
    const ticks: Tick[] = [];
    // Strides are counted from 10⁰, so that ticks stay where they are as the range grows.
    for (let k = Math.ceil(first / stride) * stride; k <= last; k += stride) ticks.push(decade(k));
    return ticks;
  }
  const ticks: Tick[] = [];
  for (let k = Math.floor(low); k <= last + 1; k += 1) {
    for (const digit of span < 1 ? [1, 2, 3, 5] : [1, 3]) {
      const exponent = k + Math.log10(digit);
      if (exponent < low - 1e-9 || exponent > high + 1e-9) continue;
      ticks.push({ value: 10 ** exponent, text: significant(digit * 10 ** k, 2) });
    }
  }
  return ticks;
}

/** The tick of a whole power of ten. */
export function decade(exponent: number): Tick {
  const readable = exponent >= -2 && exponent <= 3;
  const text = readable ? significant(10 ** exponent, 1) : power(exponent);
  return { value: 10 ** exponent, text };
}

/** Where `value` lies along the axis, 0 at its start and 1 at its end. */
export function fraction(axis: AxisPlan, value: number): number {
  const [start, end] = axis.range;
  const place = axis.log ? Math.log10(drawable(axis, value)) : value;
  return (place - start) / (end - start);
}

/** The value at a `fraction` of the axis: the inverse. */
export function valueAt(axis: AxisPlan, share: number): number {
  const place = axis.range[0] + share * (axis.range[1] - axis.range[0]);
  return axis.log ? 10 ** place : place;
}

/** The value as it is drawn: zeros of a logarithmic axis on its floor. */
export function drawable(axis: AxisPlan, value: number): number {
  return axis.floor !== null && value <= 0 ? axis.floor : value;
}

/** The same axis over the range that the reader has zoomed to, in Plotly's terms. */
export function zoomed(axis: AxisPlan, range: readonly [number, number], count: number): AxisPlan {
  const [low, high] = range;
  const ticks = axis.log ? logTicks(low, high, count + 1) : linearTicks(low, high, count);
  return { ...axis, range: [low, high], ticks };
}

/** Steps are whole numbers, seconds are not. */
export function xText(value: number, unit: "step" | "seconds"): string {
  return unit === "step" ? formatCount(value) : `${significant(value, 3)} s`;
}

/** A value axis together with where a value of the metric lies on it. */
export interface ValueAxis {
  plan: AxisPlan;
  place(value: number): number;
}

/** The axis of values that are drawn at `transform(value)`. */
export function placeOn(plan: AxisPlan, transform: (value: number) => number): ValueAxis {
  return { plan, place: (value) => fraction(plan, transform(value)) };
}
