import { describe, expect, it } from "vitest";
import { arm, logOf, spec as specOf, started, withRecords } from "../../../tests/logs";
import {
  degreeText,
  eigenvalues,
  firstArm,
  halfOf,
  halfWords,
  kindOf,
  lengthWords,
  problemWords,
  ratioText,
  redampingOf,
  redampingWords,
  type StepPlane,
  stepQuery,
  turnWords,
  whyWords,
  worstSpikes,
} from "./step";

const plane = (matrix: StepPlane["matrix"], tikhonov: number): StepPlane => ({
  sample: 0,
  basis: [],
  second: "step",
  value: 1,
  gradient_norm: 2,
  step: [0.5, 0.1],
  tikhonov,
  matrix,
  change: { ratio: 0.25, degrees: 11 },
  batch_change: null,
  before: null,
  earlier: null,
  problem: null,
  views: [view(), view()],
});

function view(): StepPlane["views"][number] {
  return { unit: 1, gradient: [2, 0], a: [0, 1], b: [0, 1], loss: [], quadratic: null };
}

describe("the verdict", () => {
  it("keeps turned and rescaled apart", () => {
    expect(kindOf({ ratio: 0.0078, degrees: 3.7 })).toBe("Rescaled, hardly turned");
    expect(kindOf({ ratio: 0.0078, degrees: 0.1 })).toBe("Rescaled, not turned");
    expect(kindOf({ ratio: 1.02, degrees: 60 })).toBe("Turned, not rescaled");
    expect(kindOf({ ratio: 3, degrees: 60 })).toBe("Turned and rescaled");
    expect(kindOf({ ratio: 1, degrees: 0 })).toBe("Left as it was");
  });

  it("says lengths and angles in words and as two numbers", () => {
    expect(lengthWords({ ratio: 1 / 129, degrees: 0 })).toBe(
      "shrinks the step to 1/130 of its length",
    );
    expect(lengthWords({ ratio: 0.31, degrees: 0 })).toBe("shrinks the step to 31 % of its length");
    expect(lengthWords({ ratio: 5.52, degrees: 0 })).toBe(
      "stretches the step to 5.5 times its length",
    );
    expect(turnWords({ ratio: 1, degrees: 25.3 })).toBe("and turns it by 25°");
    expect(turnWords({ ratio: 1, degrees: 134 })).toBe("and turns it by 134°, uphill");
    expect(ratioText(0.00098)).toBe("× 1/1,000");
    expect([ratioText(0.0078), degreeText(3.71), degreeText(null)]).toEqual([
      "× 0.0078",
      "3.7°",
      "–",
    ]);
  });

  it("gives the quadratic's shape as the reason", () => {
    const round: StepPlane["matrix"] = [
      [30, -8],
      [-8, 28],
    ];
    expect(whyWords(plane(round, 100))).toContain("nearly round, since λ = 100 outweighs C");
    const long: StepPlane["matrix"] = [
      [30, -8],
      [-8, 5],
    ];
    expect(whyWords(plane(long, 0.1))).toContain("a valley, 12 times as steep across as along");
    const straight = { ...plane(long, 0.1), change: { ratio: 0.1, degrees: 2 } };
    expect(whyWords(straight)).toContain("little to turn");
    expect(
      whyWords(
        plane(
          [
            [-3, 0],
            [0, 1],
          ],
          0.5,
        ),
      ),
    ).toContain("curves down in one direction here (−2.5)");
    expect(eigenvalues(round)?.map((value) => value.toFixed(2))).toEqual(["20.94", "37.06"]);
    expect(eigenvalues(null)).toBeNull();
  });
});

describe("a change of λ", () => {
  const spec = specOf({
    arms: [arm("Vanilla"), arm("Hessian", { curvature: "hessian", tikhonov: 10 })],
    changes: [
      { step: 20, arm: 1, tikhonov: 1, lr: null },
      { step: 40, arm: 1, tikhonov: 0.1, lr: null },
      { step: 50, arm: 1, tikhonov: null, lr: 0.1 },
    ],
  });

  it("is the last one up to the step, from what held before", () => {
    expect(redampingOf(spec, 1, 10)).toBeNull();
    expect(redampingOf(spec, 1, 30)).toEqual({ step: 20, from: 10, to: 1 });
    expect(redampingOf(spec, 1, 90)).toEqual({ step: 40, from: 1, to: 0.1 });
    expect(redampingOf(spec, 0, 90)).toBeNull();
    expect(firstArm(spec)).toBe(1);
  });

  it("is asked for with both values, and nothing of an arm without curvature", () => {
    const asked = stepQuery("r", spec, 32, 1, null, { step: 20, from: 10, to: 1 }, 30);
    expect(asked).toMatchObject({ space: "step", step: 32, tikhonov: 1, earlier: 10 });
    expect(stepQuery("r", spec, 0, 1, 2, null, 0)).toMatchObject({ tikhonov: 10, earlier: null });
    expect(stepQuery("r", spec, 0, 0, 2, null, 0)).toMatchObject({ tikhonov: null, sample: 2 });
  });

  it("is step size and direction, told apart", () => {
    const words = redampingWords(
      { step: 1, from: 100, to: 1 },
      { ratio: 71.4, degrees: 9 },
      "adam",
    );
    expect(words).toContain("λ from 100 to 1");
    expect(words).toContain("71.4 times as long (step size)");
    expect(words).toContain("point 9.0° away from before (direction)");
    const same = redampingWords({ step: 1, from: 2, to: 1 }, { ratio: 2, degrees: 0.01 }, "sgd");
    expect(same).toContain("their direction is as before");
    expect(same).not.toContain("Adam");
  });
});

describe("an arm that takes one half of the step", () => {
  const half = (component: "length" | "direction" | "full") =>
    halfOf(arm("A", { curvature: "fisher", component }));

  it("is said to take that half, whatever the whole step does", () => {
    expect(half("full")).toBeNull();
    expect(half("length")).toBe("length");
    const [step, takes] = halfWords("direction", { ratio: 0.001, degrees: 41 });
    expect(step).toBe("Of a Newton step 0.001 times as long as the gradient, turned by 41°,");
    expect(takes).toContain("nothing is rescaled");
    expect(halfWords("length", { ratio: 0.001, degrees: 41 })[1]).toContain("nothing turns");
  });
});

describe("spikes", () => {
  it("are each arm's largest so far, one without a number first", () => {
    const spikes = [
      { step: 3, norm: 100, median: 1 },
      { step: 5, norm: 400, median: 2 },
      { step: 9, norm: Number.NaN, median: 1 },
    ];
    const log = withRecords(logOf([started()]), 1, { spikes });
    expect(worstSpikes(log, 8)).toEqual([{ arm: 1, step: 5, times: 200, count: 2 }]);
    expect(worstSpikes(log, 9)[0]).toMatchObject({ step: 9, count: 3 });
    expect(worstSpikes(log, 2)).toEqual([]);
  });
});

describe("what cannot be shown", () => {
  it("is a first snapshot to come, or snapshots that are gone", () => {
    const none = "the run has left no snapshot yet";
    expect(problemWords(none, { snapshots: [] })).toContain("comes with the first one");
    expect(problemWords(none, { snapshots: [{ step: 0, file: "" }] })).toContain("are gone");
    expect(problemWords("the network has one output", { snapshots: [] })).toBe(
      "No picture: the network has one output.",
    );
  });
});
