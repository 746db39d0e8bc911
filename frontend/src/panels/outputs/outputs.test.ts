import { describe, expect, it } from "vitest";
import { arm, spec } from "../../../tests/logs";
import type { OutputLandscape } from "../../api/landscapes";
import {
  arrowWords,
  axisTitles,
  crossWords,
  dampingOf,
  firstOutputs,
  noiseWords,
  type OutputChoice,
  outputName,
  outputQuery,
  ownSurrogate,
  quadraticWords,
  targetWords,
} from "./outputs";

const SPEC = spec({
  task: { name: "shortest_path" },
  loss: { name: "perturbed_fy", samples: 10 },
  arms: [
    arm("Vanilla"),
    arm("Hessian", { curvature: "hessian", definiteness: "clip", tikhonov: 30 }),
    arm("Fisher", { curvature: "fisher", tikhonov: 3 }),
  ],
  batch_size: 70,
  changes: [{ step: 40, arm: 1, tikhonov: 7, lr: null }],
});
const CHOICE: OutputChoice = {
  arm: 0,
  sample: 2,
  kind: "coordinates",
  first: 13,
  second: 40,
  surrogate: null,
  damped: true,
  span: null,
};
const TILES = { shape: [12, 12], sample: {} };
const QUADRATIC: OutputLandscape["slice"]["surrogates"][number] = {
  values: [],
  eigenvalues: [-2, 5],
  eigenvectors: [
    [1, 0],
    [0, 1],
  ],
  direction: { components: [3, 4], length: 10, outside: Math.sqrt(0.75) },
  target: [-3, -4],
  matrix: [
    [-2, 0],
    [0, 5],
  ],
  damped: true,
  settings: { curvature: "hessian", tikhonov: 1, hessian: "batch_mean", definiteness: "raw" },
  problem: null,
};

describe("the question", () => {
  it("draws what the arm trains with, or the first arm that has a curvature", () => {
    expect([0, 1, 2].map((index) => ownSurrogate(SPEC, index))).toEqual([
      "hessian clip",
      "hessian clip",
      "fisher raw",
    ]);
    expect(ownSurrogate({ ...SPEC, arms: [arm("Vanilla")] }, 0)).toBe("hessian raw");
  });

  it("takes λ as it is at the step, and says whose it is", () => {
    expect(dampingOf(SPEC, 1, "hessian clip", 39)).toMatchObject({ tikhonov: 30 });
    expect(dampingOf(SPEC, 1, "hessian raw", 40)).toMatchObject({
      tikhonov: 7,
      whose: "the arm's own",
    });
    expect(dampingOf(SPEC, 2, "hessian raw", 50)).toMatchObject({
      tikhonov: 7,
      whose: "that of Hessian",
    });
    expect(dampingOf({ ...SPEC, arms: [arm("Vanilla")] }, 0, "fisher raw", 0).whose).toContain(
      "no arm",
    );
  });

  it("asks for two tiles, the training batch and the damped quadratic", () => {
    expect(outputQuery("r", SPEC, 50, CHOICE)).toMatchObject({
      first: 13,
      second: 40,
      samples: 70,
      span: null,
      damped: true,
      surrogates: [{ curvature: "hessian", definiteness: "clip", tikhonov: 7 }],
    });
  });

  it("starts with tiles on the true path, or with the first two scores", () => {
    const path: [number, number][] = [0, 1, 2, 3, 4, 5].map((k) => [k, k]);
    expect(firstOutputs({ shape: [6, 6], sample: { true_path: path } })).toEqual([14, 28]);
    expect(firstOutputs({ shape: [5], sample: {} })).toEqual([0, 1]);
  });
});

describe("what is said", () => {
  it("names tiles by row and column, scores by their image", () => {
    expect(outputName(TILES, 13)).toBe("the tile at row 2, column 2");
    expect(outputName({ shape: [5], sample: { values: [7, 4821] } }, 1)).toBe("output 2 (4821)");
  });

  it("says which way the axes go", () => {
    expect(axisTitles(CHOICE, TILES)[1]).toBe("change of the tile at row 4, column 5");
    expect(axisTitles({ ...CHOICE, kind: "newton" }, TILES)[0]).toContain("uphill to the right");
  });

  it("says how long a vector is and how much of it is seen", () => {
    expect(QUADRATIC.direction && arrowWords(QUADRATIC.direction)).toBe(
      "10 long, 5 of that within this plane",
    );
    const flat = { components: [3, 4] as [number, number], length: 5, outside: 0 };
    expect(arrowWords(flat)).toBe("5 long, all of that within this plane");
  });

  it("says where z* is", () => {
    expect(targetWords(QUADRATIC, 5)).not.toContain("off the picture");
    expect(targetWords(QUADRATIC, 3.5)).toContain("off the picture");
    const none = { ...QUADRATIC, target: null, direction: null, problem: "it is singular" };
    expect(targetWords(none, 5)).toBe("There is no z*: it is singular.");
  });

  it("says whether z* is a saddle", () => {
    expect(crossWords(QUADRATIC, 1)).toContain("saddle");
    expect(crossWords(QUADRATIC, 2.5)).not.toContain("saddle");
  });

  it("says the quadratic, its λ and whether it is in it", () => {
    const damping = dampingOf(SPEC, 1, "hessian clip", 50);
    expect(quadraticWords("hessian clip", damping, true, 70)).toBe(
      "the quadratic with the loss's value and gradient here and the Hessian of a batch of 70," +
        " negative eigenvalues set to 0; λ = 7 (the arm's own) on its diagonal",
    );
    expect(quadraticWords("fisher raw", damping, false, 70)).toContain("is left out of it");
  });

  it("says that sampled losses keep their noise", () => {
    expect(noiseWords({ name: "neuralsort" }, 0)).toBe("");
    expect(noiseWords(SPEC.loss, 0)).toContain("10 noise samples, the same ones at every point");
    expect(noiseWords({ name: "smoothed_loss", samples: 3 }, null)).toContain("changes in steps");
  });
});
