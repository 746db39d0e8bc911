import { describe, expect, it } from "vitest";
import { logOf, spec, started } from "../../../tests/logs";
import { timeMarks } from "./marks";

describe("timeMarks", () => {
  it("marks spikes, changes and divergence with words", () => {
    const log = logOf([
      started(),
      { type: "spike", arm: 0, step: 40, norm: 5000, median: 0.2 },
      { type: "changed", arm: 2, step: 50, tikhonov: 0.01, lr: null },
      { type: "diverged", arm: 1, step: 60, reason: "the loss is NaN" },
    ]);
    expect(timeMarks(log).map((mark) => mark.title)).toEqual([
      "Vanilla: spike at step 40, 25,000 times the usual",
      "Hessian diverged at step 60: the loss is NaN",
      "Fisher: λ 0.01 from step 50",
    ]);
  });

  it("keeps the largest of the spikes that fall together", () => {
    const spikes = Array.from({ length: 3000 }, (_, index) => ({
      type: "spike" as const,
      arm: index % 3,
      step: index + 1,
      norm: index === 1500 ? null : 10 + (index % 7),
      median: 0.2,
    }));
    const marks = timeMarks(logOf([started(spec({ steps: 3000 })), ...spikes]));
    expect(marks.length).toBeLessThanOrEqual(80);
    expect(marks.some((mark) => mark.step === 1501)).toBe(true);
  });
});
