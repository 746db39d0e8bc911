/** Scores for the gradient field: made up, typed, or what a network says. Pure. */

import { lastUpToStep } from "../../state/column";
import type { RunLog } from "../../state/log";
import { numberIn } from "./walks";

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

/** What the first arm of a ranking run says at a step, and the numbers that are true. */
export function batchScores(
  log: RunLog,
  step: number,
): { scores: number[][]; order: number[][] } | null {
  const items = lastUpToStep(log.arms[0]?.examples ?? [], step)?.items ?? [];
  const groups = new Map<unknown, { scores: number[]; order: number[] }>();
  for (const item of items) {
    const { set, score, value } = item as { set?: unknown; score?: unknown; value?: unknown };
    if (typeof score !== "number" || typeof value !== "number") continue;
    const group = groups.get(set) ?? { scores: [], order: [] };
    group.scores.push(score);
    group.order.push(value);
    groups.set(set, group);
  }
  const found = [...groups.values()].filter((group) => group.scores.length > 1);
  const n = found[0]?.scores.length;
  const same = found.filter((group) => group.scores.length === n);
  if (same.length === 0) return null;
  return { scores: same.map((group) => group.scores), order: same.map((group) => group.order) };
}
