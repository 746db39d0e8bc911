import { describe, expect, it } from "vitest";
import { arm, logOf, started } from "../../../tests/logs";
import type { Descent, ThreeDescent } from "../../api/descents";
import { armStyles, methodStyle } from "../../state/arms";
import { batchScores, exampleScores, numbersIn, rangeAround } from "../gradients/scores";
import { methodOf, outcomeWords, pointsUpTo, quadraticLandscape, trustWords } from "./descents";

const DESCENT: Descent = {
  label: "Newton",
  path: [
    [0, 0],
    [1, 2],
    [null, null],
    [5, 5],
  ],
  values: [3, 1, null, null],
  gradients: [
    [1, 2],
    [0, 0],
  ],
  gradient_norms: [1, 1],
  curvatures: [
    [
      [2, 1],
      [1, 4],
    ],
  ],
  predicted: [2, 0],
  actual: [1, 0],
  trust: [0.5, null],
  ended: 2,
  problem: "step 3: the step is not finite",
};

describe("a descent", () => {
  it("looks as the arm of its method does among others", () => {
    const arms = [arm("Vanilla"), arm("Fisher", { curvature: "fisher" })];
    const fisher = methodOf({ method: "newton", curvature: "fisher", lr: 1 });
    expect(methodStyle(fisher)).toEqual(armStyles(arms)[1]);
    expect(methodStyle(methodOf({ method: "gradient_descent", lr: 1 }))).toEqual(
      armStyles(arms)[0],
    );
    const own = [null, "clip", "saddle_free"].map((definiteness) => {
      const given = definiteness === null ? {} : { definiteness: definiteness as "clip" };
      const { slot, dash } = methodStyle(methodOf({ method: "newton", lr: 1, ...given }));
      return `${slot} ${dash}`;
    });
    expect(new Set(own).size).toBe(3);
  });

  it("is drawn up to the step, and ends where it is not finite", () => {
    expect(pointsUpTo(DESCENT, 0)).toEqual([[0, 0]]);
    expect(pointsUpTo(DESCENT, 9)).toEqual([
      [0, 0],
      [1, 2],
    ]);
  });

  it("says what its quadratic promised, and why it ended", () => {
    expect(trustWords(DESCENT, 0)).toBe("next step: predicted decrease 2, actual 1, ratio 0.5");
    expect(trustWords(DESCENT, 1)).toBe("next step: predicted decrease 0, actual 0");
    expect(trustWords(DESCENT, 2)).toBe("step 3: the step is not finite");
  });

  it("has a quadratic with its value, slope and bend", () => {
    const on = { x: [0, 1], y: [0, 1], values: [] };
    expect(quadraticLandscape(DESCENT, 0, on)?.values).toEqual([
      [3, 3 + 1 + 1],
      [3 + 2 + 2, 3 + 1 + 2 + (2 + 2 + 4) / 2],
    ]);
    expect(quadraticLandscape(DESCENT, 2, on)).toBeNull();
  });

  it("over three scores says how it went", () => {
    const arrived: ThreeDescent = { ...DESCENT, outcome: "arrived", arrived: 4 };
    expect(outcomeWords(arrived, 4)).toBe("sorted from step 4 on");
    expect(outcomeWords(arrived, 3)).toContain("not sorted yet");
    const stuck: ThreeDescent = {
      ...arrived,
      outcome: "stuck",
      arrived: -1,
      gradient_norms: [1, 0],
    };
    expect(outcomeWords(stuck, 0)).toContain("still moving");
    expect(outcomeWords(stuck, 1)).toContain("vanished");
    expect(outcomeWords({ ...stuck, outcome: "ended" }, 1)).toContain("still moving");
    expect(outcomeWords({ ...stuck, outcome: "ended" }, 2)).toContain("no longer finite");
  });
});

describe("scores", () => {
  it("are evenly spread, or typed", () => {
    expect(exampleScores(3)).toEqual([-1, 0, 1]);
    expect(numbersIn("1, 2.5; -3")).toEqual([1, 2.5, -3]);
    expect(numbersIn("1, x")).toBeNull();
    expect(numbersIn("1")).toBeNull();
  });

  it("lie within round bounds, however far away and close together", () => {
    expect(rangeAround([0.1, 0.38])).toEqual([-0.5, 0.95]);
    expect(rangeAround([10.003, 10.001])).toEqual([9.997, 10.007]);
    expect(rangeAround([-2e6, 5])).toEqual([-1e6, 1e6]);
    expect(rangeAround([3, 3])).toBeNull();
    expect(rangeAround([])).toBeNull();
  });

  it("are what the network says at the step", () => {
    const item = (set: number, score: number | null, value: number) => ({
      ...{ set, score, value, item: 0, rank: 0, true_rank: 0, correct: true, image: null },
    });
    const items = [item(0, 0.5, 7), item(0, 0.1, 3), item(1, null, 3), item(1, 2, 1)];
    const log = logOf([started(), { type: "examples", arm: 0, step: 10, items }]);
    expect(batchScores(log, 0, 5)).toBeNull();
    expect(batchScores(log, 1, 10)).toBeNull();
    expect(batchScores(log, 0, 10)).toEqual({ step: 10, scores: [[0.1, 0.5]] });
  });
});
