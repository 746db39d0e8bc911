/** What the curves say at one step: for the hover readout, the summary and the data table. */

import { formatCount } from "../format";
import type { ColumnBuffer } from "../state/column";
import { evenly } from "./evenly";
import { formatValue, parseHover } from "./hover";
import { type Curve, lastOf, pointX, type View } from "./view";

/** One curve's value at or just before a step. */
export interface Reading {
  curve: Curve;
  index: number;
  step: number;
  x: number;
  /** What the line shows, and the recorded value where the line is a running mean. */
  value: number;
  raw: number | null;
  error: number | null;
  /** Least and greatest of the seeds, where the value is their mean. */
  spread: [number, number] | null;
}

/** Each curve's last point at or before `step`, among those shown. */
export function readAt(curves: readonly Curve[], step: number, unit: View["x"]): Reading[] {
  return curves.flatMap((curve) => {
    const { steps, y, error, spread } = curve.series;
    const index = Math.min(curve.shown, steps.countUpTo(step)) - 1;
    if (index < 0) return [];
    const reading: Reading = {
      curve,
      index,
      step: steps.at(index),
      x: pointX(curve, index, unit),
      value: curve.line.at(index),
      raw: curve.line === y ? null : y.at(index),
      error: error === null || Number.isNaN(error.at(index)) ? null : error.at(index),
      spread: spread && [spread.low.at(index), spread.high.at(index)],
    };
    return [reading];
  });
}

/**
 * The step that a read-out is headed by: the one that its values are of, since records may be many
 * steps apart; where they are of several, the one that was pointed at.
 */
export function headingStep(readings: readonly Reading[], pointed: number): number {
  const [first] = readings;
  const same = first !== undefined && readings.every((reading) => reading.step === first.step);
  return same ? first.step : pointed;
}

/** " at step 150", where a value is not of the step that heads it. */
export function stepNote({ step }: Reading, heading: number): string {
  return step === heading ? "" : ` at step ${formatCount(step)}`;
}

/** "29.1 %": what the line shows. */
export function valueText(reading: Reading, hover: string): string {
  const { spec, suffix } = parseHover(hover);
  return `${formatValue(reading.value, spec)}${Number.isNaN(reading.value) ? "" : suffix}`;
}

/** "29.1 ± 0.6 %", "0.112 (raw 0.094)" or, over seeds, "29.1 (25.0 to 31.2) %". */
export function readingText(reading: Reading, hover: string): string {
  const { spec, suffix } = parseHover(hover);
  const value = formatValue(reading.value, spec);
  if (reading.error !== null) return `${value} ± ${formatValue(reading.error, spec)}${suffix}`;
  if (reading.spread !== null && !Number.isNaN(reading.value)) {
    const [low, high] = reading.spread.map((edge) => formatValue(edge, spec));
    return `${value} (${low} to ${high})${suffix}`;
  }
  if (reading.raw === null) return valueText(reading, hover);
  return `${value}${suffix} (raw ${formatValue(reading.raw, spec)}${suffix})`;
}

/**
 * The chart in words, for those who do not see it: each arm's last value with its least and
 * greatest so far, and gaps.
 */
export function summary(view: View, curves: readonly Curve[]): string {
  const { title, unit, hover } = view.choice;
  const own = curves.filter((curve) => curve.layer.kind !== "ghost");
  const parts = own.flatMap((curve) => {
    const said = summaryOf(curve, hover);
    return said === null ? [] : [said];
  });
  const head = `${title}, ${unit}.`;
  if (parts.length === 0) return `${head} No values yet.`;
  return `${head} At step ${formatCount(view.cursor)}: ${parts.join("; ")}.`;
}

function summaryOf(curve: Curve, hover: string): string | null {
  const last = lastOf(curve);
  if (last < 0) return null;
  const { spec, suffix } = parseHover(hover);
  const say = (value: number): string => `${formatValue(value, spec)}${suffix}`;
  const { low, high, missing } = extremes(curve);
  const gaps = missing > 0 ? `, ${formatCount(missing)} values not finite` : "";
  const range = low === high ? "" : `, between ${say(low)} and ${say(high)} so far`;
  return `${curve.label} ${say(curve.line.at(last))}${range}${gaps}`;
}

interface Extremes {
  low: number;
  high: number;
  missing: number;
  /** How far the recorded values have been looked at. */
  seen: number;
}

const known = new WeakMap<ColumnBuffer, Extremes>();

/** Least and greatest recorded value up to the cursor; goes on from where it was, if it can. */
function extremes(curve: Curve): Extremes {
  const { y } = curve.series;
  let found = known.get(y.source);
  if (found === undefined || found.seen > curve.shown) {
    found = { low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY, missing: 0, seen: 0 };
    known.set(y.source, found);
  }
  const values = y.values;
  for (; found.seen < curve.shown; found.seen += 1) {
    const value = values[found.seen] as number;
    if (Number.isNaN(value)) found.missing += 1;
    else {
      found.low = Math.min(found.low, value);
      found.high = Math.max(found.high, value);
    }
  }
  return found;
}

/** Rows of the table behind a chart: one a step, one column a curve. */
export interface Table {
  columns: string[];
  rows: { step: number; cells: string[] }[];
  /** Rows there are in all; more than `rows` where these are a selection. */
  total: number;
}

/** At most `limit` rows, evenly over the steps shown, with the first and the last. */
export function tableOf(view: View, curves: readonly Curve[], limit: number): Table {
  const own = curves.filter((curve) => curve.layer.kind !== "ghost");
  // Arms are recorded at the same steps: the one furthest on has them all.
  const longest = own.reduce<Curve | null>(
    (best, curve) => (best === null || curve.shown > best.shown ? curve : best),
    null,
  );
  const total = longest?.shown ?? 0;
  const chosen = evenly(total, limit).map((index) => longest?.series.steps.at(index) ?? 0);
  const { spec } = parseHover(view.choice.hover);
  return {
    columns: own.map((curve) => curve.label),
    rows: chosen.map((step) => ({
      step,
      cells: own.map((curve) => cell(curve, step, spec)),
    })),
    total,
  };
}

/** The recorded value (never a running mean), with its standard error where there is one. */
function cell(curve: Curve, step: number, spec: string): string {
  const { steps, y, error } = curve.series;
  const index = steps.countUpTo(step) - 1;
  if (index < 0 || index >= curve.shown || steps.at(index) !== step) return "";
  const value = y.at(index);
  if (Number.isNaN(value)) return "not finite";
  const deviation = error?.at(index) ?? Number.NaN;
  const text = formatValue(value, spec);
  return Number.isNaN(deviation) ? text : `${text} ± ${formatValue(deviation, spec)}`;
}
