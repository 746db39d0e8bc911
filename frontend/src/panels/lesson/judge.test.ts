import { describe, expect, it } from "vitest";
import type { Question } from "../../api/types";
import type { Truth } from "../../state/truth";
import { choices, judge, KNOTS } from "./judge";

const lines: Record<string, (step: number) => number> = {
  Vanilla: (step) => step / 200,
  Hessian: (step) => step / 100,
};

function truth(head: number, ended = false): Truth {
  return {
    labels: ["Vanilla", "Hessian"],
    head,
    ended,
    at: (label, metric, step) =>
      metric === "share" && step <= head ? (lines[label]?.(step) ?? null) : null,
  };
}

const words = { ask: "?", metric: "share", hints: [], explain: "" };
const which: Question = { ...words, kind: "arm", step: 50, most: "highest", among: [] };
const number: Question = { ...words, kind: "number", arm: "Hessian", step: 50, within: 0.2 };
const curve: Question = {
  ...words,
  kind: "curve",
  arm: "Hessian",
  low: 0,
  high: 1,
  within: 0.1,
};

describe("a prediction", () => {
  it("waits until the run has come so far", () => {
    expect(judge(which, "Hessian", truth(49))).toBeNull();
    expect(judge(number, 0.5, truth(49))).toBeNull();
    expect(judge(curve, [0, 1], truth(100))).toBeNull();
  });

  it("of an arm is right where the run has it ahead", () => {
    expect(judge(which, "Hessian", truth(50))).toEqual({ right: true, truth: "Hessian" });
    expect(judge({ ...which, most: "lowest" }, "Hessian", truth(50))?.right).toBe(false);
    expect(judge({ ...which, among: ["Vanilla"] }, "Vanilla", truth(50))?.right).toBe(true);
    expect(judge({ ...which, metric: "other" }, "Vanilla", truth(50))).toBeNull();
  });

  it("of a number is right within a share of it", () => {
    expect(judge(number, 0.59, truth(50))).toEqual({ right: true, truth: 0.5 });
    expect(judge(number, 0.61, truth(50))?.right).toBe(false);
  });

  it("of a curve is right where it is near on average", () => {
    const ramp = Array.from({ length: KNOTS }, (_, knot) => knot / (KNOTS - 1));
    expect(judge(curve, ramp, truth(100, true))?.right).toBe(true);
    expect(
      judge(
        curve,
        ramp.map(() => 0),
        truth(100, true),
      )?.right,
    ).toBe(false);
  });

  it("offers what the question names, or all", () => {
    expect(choices(which, truth(1))).toEqual(["Vanilla", "Hessian"]);
    expect(choices({ ...which, among: ["Vanilla"] }, truth(1))).toEqual(["Vanilla"]);
  });
});
