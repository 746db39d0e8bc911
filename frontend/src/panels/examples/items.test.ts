import { describe, expect, it } from "vitest";
import { logOf, started } from "../../../tests/logs";
import type { ArmLog } from "../../state/log";
import { agesOf, examplesAt } from "./items";

const log = logOf([
  started(),
  {
    type: "examples",
    arm: 0,
    step: 0,
    items: [
      { image: "a", rank: 0 },
      { image: "b", rank: 1 },
    ],
  },
  { type: "examples", arm: 0, step: 25, items: [{ image: null, rank: 1 }, { rank: 0 }] },
]);
const arm = log.arms[0] as ArmLog;

describe("examplesAt", () => {
  it("borrows what the first record alone has", () => {
    expect(examplesAt(arm, 30)).toEqual([
      { image: "a", rank: 1 },
      { image: "b", rank: 0 },
    ]);
  });

  it("keeps to what was known at the step", () => {
    expect(examplesAt(arm, 24)).toEqual([
      { image: "a", rank: 0 },
      { image: "b", rank: 1 },
    ]);
    expect(examplesAt(arm, -1)).toEqual([]);
  });
});

describe("agesOf", () => {
  const examples = (...steps: number[]) => steps.map((step) => ({ step, items: [] }));
  const going = { examples: examples(0, 25, 50), diverged: null };
  const fell = { examples: examples(0), diverged: { step: 3, reason: "not finite" } };

  it("is the step of the arms that go on, and the age of those that diverged", () => {
    expect(agesOf([fell, going, going], 60)).toEqual({ shown: 50, older: [0, null, null] });
    expect(agesOf([going, fell], 30)).toEqual({ shown: 25, older: [null, 0] });
  });

  it("is one for all before an arm diverges, and where all have", () => {
    expect(agesOf([fell, going], 2)).toEqual({ shown: 0, older: [null, null] });
    expect(agesOf([fell, fell], 60)).toEqual({ shown: 0, older: [null, null] });
    expect(agesOf([], 60)).toEqual({ shown: null, older: [] });
  });
});
