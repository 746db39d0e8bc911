import { describe, expect, it } from "vitest";
import { logOf, started } from "../../../tests/logs";
import type { ArmLog } from "../../state/log";
import { examplesAt } from "./items";

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
