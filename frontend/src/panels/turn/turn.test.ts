import { describe, expect, it } from "vitest";
import { arm } from "../../../tests/logs";
import { ownDamping, pointAt, sharesOf, type TurnCurve, turnWords } from "./turn";

const curve: TurnCurve = {
  curvature: "fisher",
  tikhonov: [0.02, 0.2, 2],
  largest: 2,
  degrees: [40, null, 3],
  complement_condition: 1300,
};

describe("the turn of a gradient", () => {
  it("is drawn over shares of the largest eigenvalue", () => {
    expect(sharesOf(curve)).toEqual([0.01, 0.1, 1]);
  });

  it("marks a damping at the nearest point of the curve, and none beyond it", () => {
    expect(pointAt(curve, 1)).toEqual({ x: 0.5, y: 3 });
    expect(pointAt(curve, 0.2)).toBeNull();
    expect(pointAt(curve, 5)).toBeNull();
  });

  it("marks only the damping of an arm that has this curvature, as it is set", () => {
    const fisher = arm("F", { curvature: "fisher" });
    expect(ownDamping(fisher, curve, 0.3)).toBe(0.3);
    expect(ownDamping({ ...fisher, tikhonov_rule: "relative" }, curve, 0.3)).toBeNull();
    expect(ownDamping(arm("H", { curvature: "hessian" }), curve, 0.3)).toBeNull();
  });

  it("says how far, and why not further", () => {
    expect(turnWords([curve])).toBe(
      "Fisher: up to 40.0°; its condition is 1,300, without the directions that the loss never feels.",
    );
    const flat = { ...curve, degrees: [0.4, 0.2, 0.1], complement_condition: 1.3 };
    expect(turnWords([flat])).toBe(
      "Fisher: up to 0.400°; it can rescale the gradient, hardly turn it: its condition is 1.3," +
        " without the directions that the loss never feels.",
    );
    const gone = { ...curve, degrees: [null, null, null] };
    expect(turnWords([gone])).toBe("Fisher: the gradient has vanished.");
  });
});
