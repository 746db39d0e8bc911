/** Whether a prediction was right, by what really happened. Pure. */

import type { Question } from "../../api/types";
import type { Truth } from "../../state/truth";
import type { Given } from "./answers";

/** Heights that a student draws, from the first step to the last. */
export const KNOTS = 9;

export interface Verdict {
  right: boolean;
  /** What happened: the arm ahead, the value, or the curve at the knots. */
  truth: string | number | readonly (number | null)[];
}

/** The step that a question asks about; null: the whole run. */
export function stepOf(question: Question): number | null {
  return question.kind === "curve" ? null : question.step;
}

/** Labels to choose from. */
export function choices(question: Question, truth: Truth): readonly string[] {
  if (question.kind !== "arm" || question.among.length === 0) return truth.labels;
  return question.among;
}

/** What the run says; null: it has not come so far, or has no such number. */
export function judge(question: Question, given: Given, truth: Truth): Verdict | null {
  const { metric } = question;
  if (question.kind === "arm") {
    const sign = question.most === "highest" ? 1 : -1;
    const values = choices(question, truth).flatMap((label) => {
      const value = truth.at(label, metric, question.step);
      return value === null ? [] : [{ label, value: sign * value }];
    });
    if (!has(truth, question.step) || values.length === 0) return null;
    const best = Math.max(...values.map(({ value }) => value));
    const ahead = values.filter(({ value }) => value === best).map(({ label }) => label);
    return { right: ahead.includes(String(given)), truth: ahead.join(" and ") };
  }
  if (question.kind === "number") {
    const value = truth.at(question.arm, metric, question.step);
    if (!has(truth, question.step) || value === null) return null;
    const error = Math.abs(Number(given) - value);
    return { right: error <= question.within * Math.max(Math.abs(value), 1e-12), truth: value };
  }
  if (!truth.ended || typeof given !== "object") return null;
  const curve = given.map((_, knot) =>
    truth.at(question.arm, metric, stepAtKnot(knot, truth.head)),
  );
  const errors = curve.flatMap((value, knot) => {
    const drawn = given[knot];
    return value === null || drawn === undefined ? [] : [Math.abs(value - drawn)];
  });
  if (errors.length === 0) return null;
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  return { right: mean <= question.within * (question.high - question.low), truth: curve };
}

function stepAtKnot(knot: number, steps: number): number {
  return Math.round((knot / (KNOTS - 1)) * steps);
}

function has(truth: Truth, step: number): boolean {
  return truth.ended || truth.head >= step;
}
