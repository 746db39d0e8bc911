/** Forecasts of a series: where they are drawn and what is said about them. Pure. */

import type { Example } from "../../api/types";
import { formatMeasured } from "../../format";
import { type ForecastItem, isForecastItem } from "./items";

export const WIDE = 160;
export const HIGH = 72;
const MARGIN = 4;
/** As many of the last seen steps as there are steps to come are drawn, and no more. */
const SEEN_SHARE = 0.5;

/** Places of a window's values in a picture of WIDE by HIGH. */
export interface Frame {
  seen: string;
  wanted: string;
  forecast: string;
  /** Each aligned pair: from the forecast to the truth. */
  pairs: string;
  /** Where the forecast begins. */
  now: number;
}

export function forecastsOf(items: readonly Example[]): ForecastItem[] {
  return items.filter(isForecastItem);
}

/** The lines of one window. The scale is the truth's; a forecast far outside is cut at the edge. */
export function frameOf(item: ForecastItem): Frame {
  const wanted = item.wanted ?? [];
  const forecast = item.forecast ?? [];
  const seen = (item.seen ?? []).slice(-Math.max(1, Math.round(wanted.length * SEEN_SHARE)));
  const values = [...seen, ...wanted];
  const low = Math.min(...values, 0);
  const high = Math.max(...values, 0);
  const room = 0.25 * (high - low || 1);
  const steps = Math.max(1, seen.length + wanted.length - 1);
  const x = (step: number) => (WIDE * (seen.length + step)) / steps;
  const y = (value: number) => {
    const height = (high + room - value) / (high - low + 2 * room);
    return MARGIN + (HIGH - 2 * MARGIN) * Math.min(1, Math.max(0, height));
  };
  const at = (value: number, step: number) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`;
  const line = (part: readonly number[], from: number) =>
    part.map((value, index) => at(value, from + index)).join(" ");
  const pairs = (item.alignment ?? []).map(([own, true_]) => {
    const [here, there] = [forecast[own], wanted[true_]];
    return here === undefined || there === undefined ? "" : `M${at(here, own)}L${at(there, true_)}`;
  });
  return {
    seen: line([...seen, ...wanted.slice(0, 1)], -seen.length), // it leads to the truth
    wanted: line(wanted, 0),
    forecast: line(forecast, 0),
    pairs: pairs.join(""),
    now: x(-0.5),
  };
}

/** How far the arm's shown forecasts are, in few words. */
export function tallyForecasts(items: readonly ForecastItem[]): string {
  const known = items.flatMap((item) => (item.distance === null ? [] : [item.distance]));
  if (known.length < items.length) return `${items.length - known.length} not finite`;
  const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
  return `DTW distance ${formatMeasured(mean)} on average`;
}

/** What a picture shows, for those who do not see it. */
export function describeForecast(item: ForecastItem, label: string): string {
  const who = `${label}, window ${item.item + 1}`;
  if (item.distance === null || item.alignment === null) return `${who}: not finite`;
  const shifts = item.alignment.map(([own, true_]) => Math.abs(own - true_));
  const mean = shifts.reduce((sum, shift) => sum + shift, 0) / Math.max(1, shifts.length);
  return `${who}: DTW distance ${formatMeasured(item.distance)}, ${formatMeasured(mean)} steps off in time`;
}
