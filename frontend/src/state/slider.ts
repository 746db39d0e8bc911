/** A number field as a slider: a short scale of round values, which may leave the bounds unused. */

import { formatSetting, numberIn } from "../format";
import type { NumberField } from "./schema";

const MANTISSAS = [1, 1.5, 2, 3, 5, 7];
const DECADES = 4; // to either side of the default, within the bounds
const LINEAR_STEPS = 100;

/** The values that the slider can take, ascending; empty where a slider makes no sense. */
export function sliderValues(field: NumberField): number[] {
  return field.scale === "log" ? logValues(field) : linearValues(field);
}

/** The place on the slider that is nearest to `value` (on a log scale: nearest in ratio). */
export function sliderIndex(field: NumberField, values: readonly number[], value: number): number {
  const distance = (candidate: number) =>
    field.scale === "log" && value > 0
      ? Math.abs(Math.log(candidate / value))
      : Math.abs(candidate - value);
  let best = 0;
  values.forEach((candidate, index) => {
    if (distance(candidate) < distance(values[best] as number)) best = index;
  });
  return best;
}

function logValues(field: NumberField): number[] {
  const middle = typeof field.default === "number" && field.default > 0 ? field.default : 1;
  const low = Math.max(field.min ?? 0, middle / 10 ** DECADES);
  const high = Math.min(field.max ?? Number.POSITIVE_INFINITY, middle * 10 ** DECADES);
  const values: number[] = [];
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.log10(high); decade++) {
    for (const mantissa of MANTISSAS) {
      const value = Number(`${mantissa}e${decade}`);
      if (value < low * 0.999 || value > high * 1.001 || !allowed(field, value)) continue;
      if (!field.integer || Number.isInteger(value)) values.push(value);
    }
  }
  return values;
}

function linearValues(field: NumberField): number[] {
  if (field.min === null || field.max === null) return [];
  const span = field.max - field.min;
  if (field.integer && span > 500) return []; // a seed: type it
  const step = field.integer ? 1 : niceStep(span / LINEAR_STEPS);
  const count = Math.round(span / step);
  const values = Array.from({ length: count + 1 }, (_, index) =>
    Number(((field.min as number) + index * step).toPrecision(12)),
  );
  return values.filter((value) => allowed(field, value));
}

function niceStep(step: number): number {
  const decade = 10 ** Math.floor(Math.log10(step));
  return ([1, 2, 5, 10].find((factor) => factor * decade >= step * 0.999) ?? 10) * decade;
}

/** Whether the bounds allow `value`. */
function allowed(field: NumberField, value: number): boolean {
  if (field.min !== null && (field.minExclusive ? value <= field.min : value < field.min)) {
    return false;
  }
  if (field.max !== null && (field.maxExclusive ? value >= field.max : value > field.max)) {
    return false;
  }
  return Number.isFinite(value) && (!field.integer || Number.isInteger(value));
}

/** What is wrong with `text` as the field's value, in words; null: nothing. */
export function problemWith(field: NumberField, text: string): string | null {
  if (text.trim() === "") return field.nullable ? null : "needs a number";
  const value = numberIn(text);
  if (value === null) return `needs a number, not "${text.trim()}"`;
  if (allowed(field, value)) return null;
  if (field.integer && !Number.isInteger(value)) return "must be a whole number";
  const low =
    field.min === null
      ? null
      : `${field.minExclusive ? "more than" : "at least"} ${formatSetting(field.min)}`;
  const high =
    field.max === null
      ? null
      : `${field.maxExclusive ? "less than" : "at most"} ${formatSetting(field.max)}`;
  return `must be ${[low, high].filter((part) => part !== null).join(" and ")}`;
}
