import { describe, expect, it } from "vitest";
import { truthOfDescents } from "./truth";

describe("the truth of descents", () => {
  const truth = truthOfDescents([
    { label: "Newton", values: [4, 0, null] },
    { label: "Adam", values: [4, 3, 2] },
  ]);

  it("is what was computed, a height of 0 too", () => {
    expect(truth.labels).toEqual(["Newton", "Adam"]);
    expect([truth.head, truth.ended]).toEqual([2, true]);
    expect(truth.at("Newton", "value", 1)).toBe(0);
    expect(truth.at("Adam", "value", 2)).toBe(2);
  });

  it("says nothing of what is not there", () => {
    expect(truth.at("Newton", "value", 2)).toBeNull();
    expect(truth.at("Newton", "loss", 0)).toBeNull();
    expect(truth.at("SGD", "value", 0)).toBeNull();
    expect(truth.at("Adam", "value", 9)).toBeNull();
    expect(truthOfDescents([]).ended).toBe(false);
  });
});
