/** Scores for the gradient field: made up, typed, or what a network says. Pure. */

import { numberIn } from "../../format";
import { lastUpToStep } from "../../state/column";
import type { RunLog } from "../../state/log";
import { isRankingItem } from "../examples/items";

/** n scores one apart around 0, in their true order. */
export function exampleScores(n: number): number[] {
  return Array.from({ length: n }, (_, index) => index - (n - 1) / 2);
}

/** "1, 2.5, -3" as numbers; null where it is no list of at least two. */
export function numbersIn(text: string): number[] | null {
  const values = text
    .split(/[\s;,]+/)
    .filter((part) => part !== "")
    .map(numberIn);
  return values.length < 2 || values.some((value) => value === null) ? null : (values as number[]);
}

/** What a network says of some sets of numbers. */
export interface Batch {
  /** The evaluation it was said at. */
  step: number;
  /** A list a set, each in its true order. */
  scores: number[][];
}

/** What an arm of a ranking run says at a step; null where it has said nothing. */
export function batchScores(log: RunLog, arm: number, step: number): Batch | null {
  const point = lastUpToStep(log.arms[arm]?.examples ?? [], step);
  const sets = new Map<number, { score: number; value: number }[]>();
  for (const { set, score, value } of (point?.items ?? []).filter(isRankingItem)) {
    if (score === null) continue;
    sets.set(set, [...(sets.get(set) ?? []), { score, value }]);
  }
  const found = [...sets.values()].filter((items) => items.length > 1);
  const whole = Math.max(...found.map((items) => items.length)); // a score may not be finite
  const scores = found
    .filter((items) => items.length === whole)
    .map((items) => items.toSorted((a, b) => a.value - b.value).map(({ score }) => score));
  return point === undefined || scores.length === 0 ? null : { step: point.step, scores };
}

/** How far scores may lie from zero: as far as the server takes them. */
const FARTHEST = 1e6;

/** Round bounds two spreads to each side of the scores; null where they do not differ. */
export function rangeAround(scores: readonly number[]): [number, number] | null {
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  if (!(low < high)) return null;
  const spread = high - low;
  const step = 10 ** Math.floor(Math.log10(spread)) / 2;
  const clamp = (value: number): number => Math.max(-FARTHEST, Math.min(FARTHEST, value));
  const tidy = (value: number): number => Number(value.toPrecision(12));
  return [
    clamp(tidy(Math.floor((low - 2 * spread) / step + 1e-9) * step)),
    clamp(tidy(Math.ceil((high + 2 * spread) / step - 1e-9) * step)),
  ];
}
