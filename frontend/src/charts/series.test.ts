import { describe, expect, it } from "vitest";
import { choice } from "../../tests/figures";
import { evaluation, logOf, metrics, numbered, started, withRecords } from "../../tests/logs";
import { quantile, shareAbove, shareBelow } from "../state/health";
import type { ArmLog, CurvaturePoint, RunLog } from "../state/log";
import { RunStore } from "../state/store";
import { seriesOf, stepAt, xOf } from "./series";

const LIMITS = { vanishing: -4, exploding: 1 };

function norms(settings: Partial<CurvaturePoint["gradientNorms"]> = {}) {
  // Bins from 1e-6 to 1e-4, 1e-2, 1, 100.
  return {
    log10_edges: [-6, -4, -2, 0, 2],
    counts: [1, 2, 4, 2],
    zero: 1,
    non_finite: 0,
    ...settings,
  };
}

function curvature(step: number): CurvaturePoint {
  const hessian = { eigenvalues: [-0.5, 1, 8], condition: 16, complementCondition: 8, negative: 1 };
  const fisher = {
    eigenvalues: [0, 0, 2],
    condition: 200,
    complementCondition: Number.NaN,
    negative: 0,
  };
  return { step, hessian, fisher, directionCosine: 0.7, gradientNorms: norms() };
}

function arm(log: RunLog, index = 0): ArmLog {
  return log.arms[index] as ArmLog;
}

describe("seriesOf", () => {
  it("reads a metric's own column, without a copy", () => {
    const log = logOf([started(), metrics(0, [1, 2], { loss: [3, 4] })]);
    const series = seriesOf(arm(log), undefined, choice(), LIMITS);
    expect(series?.y).toBe(arm(log).metrics.loss);
    expect(series?.steps).toBe(arm(log).steps);
  });

  it("is null where there is nothing (yet)", () => {
    const log = logOf([started()]);
    expect(seriesOf(arm(log), undefined, choice(), LIMITS)).toBeNull();
    const exact = choice({ metric: "exact_match", source: "evaluation" });
    expect(seriesOf(arm(log), undefined, exact, LIMITS)).toBeNull();
  });

  it("scales evaluations and their errors, and continues where there are more", () => {
    const store = new RunStore();
    const first = evaluation(0, 0, { exact_match: 0.1, exact_match_se: 0.02 });
    const all = numbered([started(), first, evaluation(0, 25, { exact_match: 0.5 })]);
    const percent = choice({ metric: "exact_match", factor: 100, source: "evaluation" });
    const [before, after] = [2, 3].map((count) => {
      for (const event of all.slice(0, count)) store.apply(event);
      return seriesOf(arm(store.log), undefined, percent, LIMITS);
    });
    expect(before?.y.at(0)).toBeCloseTo(10);
    expect(before?.error?.at(0)).toBeCloseTo(2);
    expect(before?.steps.length).toBe(1);
    expect(after?.y.source).toBe(before?.y.source);
    expect(after?.steps.at(1)).toBe(25);
    expect(after?.y.at(1)).toBeCloseTo(50);
    expect(after?.error?.at(1)).toBeNaN();
  });

  it.each([
    ["hessian.largest", 8],
    ["hessian.smallest", -0.5],
    ["hessian.negative", 1],
    ["fisher.condition", 200],
    ["own.condition", 16],
    ["own.complement_condition", 8],
    ["direction_cosine", 0.7],
    ["gradient_norms.median", 0.1],
  ])("reads %s of a curvature event", (metric, value) => {
    const log = withRecords(logOf([started()]), 1, { curvature: [curvature(0)] });
    const series = seriesOf(
      arm(log, 1),
      { curvature: "hessian" },
      choice({ metric, source: "curvature" }),
      LIMITS,
    );
    expect(series?.y.at(0)).toBeCloseTo(value);
  });

  it("has no own curvature for an arm that trains without", () => {
    const log = withRecords(logOf([started()]), 0, { curvature: [curvature(0)] });
    const own = choice({ metric: "own.condition", source: "curvature" });
    expect(seriesOf(arm(log), { curvature: "none" }, own, LIMITS)).toBeNull();
  });

  it("follows a moved threshold", () => {
    const log = withRecords(logOf([started()]), 0, { curvature: [curvature(0)] });
    const vanishing = choice({ metric: "vanishing", factor: 100, source: "curvature" });
    const at = (limit: number) =>
      seriesOf(arm(log), undefined, vanishing, { ...LIMITS, vanishing: limit })?.y.at(0);
    expect(at(-4)).toBeCloseTo(20);
    expect(at(-2)).toBeCloseTo(40);
  });
});

describe("shares of samples", () => {
  it("counts zeros as vanished and the non-finite as exploded", () => {
    expect(shareBelow(norms(), -6)).toBeCloseTo(0.1);
    expect(shareBelow(norms(), -2)).toBeCloseTo(0.4);
    expect(shareAbove(norms({ non_finite: 10 }), 2)).toBeCloseTo(0.5);
    expect(shareAbove(norms(), 0)).toBeCloseTo(0.2);
  });

  it("finds quantiles to a bin, and zero where most are zero", () => {
    expect(quantile(norms(), 1)).toBeCloseTo(10);
    expect(quantile(norms({ zero: 100 }), 0.5)).toBe(0);
    expect(quantile(norms({ counts: [0, 0, 0, 0], zero: 0, non_finite: 3 }), 0.5)).toBeNaN();
  });
});

describe("steps and seconds", () => {
  const log = logOf([started(), metrics(0, [10, 20, 30], { seconds: [1, 2.5, 3] })]);

  it("gives the computing time up to a step", () => {
    expect(xOf(arm(log), 20, "seconds")).toBe(2.5);
    expect(xOf(arm(log), 25, "seconds")).toBe(2.5);
    expect(xOf(arm(log), 0, "seconds")).toBe(0);
    expect(xOf(arm(log), 5, "seconds")).toBeNaN();
    expect(xOf(arm(log), 20, "step")).toBe(20);
  });

  it("gives the step reached by a time", () => {
    expect(stepAt(arm(log), 2.9, "seconds")).toBe(20);
    expect(stepAt(arm(log), 0.5, "seconds")).toBe(0);
    expect(stepAt(arm(log), 19.6, "step")).toBe(20);
  });
});
