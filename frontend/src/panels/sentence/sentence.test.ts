import { describe, expect, it } from "vitest";
import { evaluation, logOf, spec, started } from "../../../tests/logs";
import { plainText, sentence, standings } from "./sentence";

function say(events: Parameters<typeof logOf>[0], step: number): string {
  return plainText(sentence(logOf([started(), ...events]), step));
}

function at(step: number, values: [number, number][]) {
  return values.map(([value, error], arm) =>
    evaluation(arm, step, { exact_match: value, exact_match_se: error, elementwise: 0.5 }),
  );
}

const histogram = {
  log10_edges: [-12, -6, 0, 2, 6],
  counts: [0, 50, 0, 0],
  zero: 0,
  non_finite: 0,
};
function curvature(arm: number, step: number, gradient_norms: typeof histogram) {
  return {
    type: "curvature" as const,
    arm,
    step,
    hessian: null,
    fisher: null,
    direction_cosine: null,
    gradient_norms,
  };
}

describe("the sentence", () => {
  it("says nothing before the first evaluation", () => {
    expect(say([], 0)).toBe("");
  });

  it("says that all start alike", () => {
    expect(
      say(
        at(0, [
          [0.01, 0.004],
          [0.01, 0.004],
          [0.01, 0.004],
        ]),
        0,
      ),
    ).toBe("All arms start from the same weights: each ranks 1.0 % of the sets right.");
  });

  it("compares the leader with vanilla and gives the gap in standard errors", () => {
    const events = at(50, [
      [0.249, 0.01],
      [0.28, 0.01],
      [0.291, 0.01],
    ]);
    expect(say(events, 60)).toBe(
      "Fisher ranks 29.1 % of the sets right, 4.2 points ahead of Vanilla (3.0 standard errors).",
    );
  });

  it("says when the gap is hardly more than the error", () => {
    const events = at(50, [
      [0.27, 0.01],
      [0.28, 0.01],
      [0.291, 0.01],
    ]);
    expect(say(events, 60)).toContain("2.1 points ahead of Vanilla, but only 1.5 standard errors.");
  });

  it("claims no lead within the error", () => {
    const events = at(50, [
      [0.285, 0.02],
      [0.28, 0.02],
      [0.291, 0.02],
    ]);
    expect(say(events, 60)).toBe(
      "Fisher ranks 29.1 % of the sets right, no clear lead over Vanilla:" +
        " the two are within one standard error (2.8 points).",
    );
  });

  it("compares vanilla in the lead with the next", () => {
    const events = at(50, [
      [0.4, 0.01],
      [0.28, 0.01],
      [0.2, 0.01],
    ]);
    expect(say(events, 60)).toContain(
      "Vanilla ranks 40.0 % of the sets right, 12.0 points ahead of Hessian",
    );
  });

  it("knows only what was true at its step", () => {
    const events = [
      ...at(0, [
        [0.01, 0.01],
        [0.01, 0.01],
        [0.01, 0.01],
      ]),
      ...at(50, [
        [0.5, 0.01],
        [0.2, 0.01],
        [0.2, 0.01],
      ]),
      { type: "spike" as const, arm: 0, step: 40, norm: 5000, median: 0.2 },
    ];
    expect(say(events, 49)).not.toContain("50.0 %");
    expect(say(events, 39)).not.toContain("spike");
    expect(say(events, 50)).toContain(
      "Vanilla met a spike at step 40: one gradient 25,000 times the usual.",
    );
  });

  it("names the worst of many spikes", () => {
    const events = [
      ...at(0, [[0.1, 0.01]]),
      { type: "spike" as const, arm: 1, step: 3, norm: 3, median: 0.2 },
      { type: "spike" as const, arm: 0, step: 4, norm: null, median: 0.2 },
    ];
    expect(say(events, 9)).toContain(
      "Vanilla met a spike at step 4: one gradient beyond all numbers, the worst of 2.",
    );
  });

  it("says which arm diverged, when and why, and leaves it out of the comparison", () => {
    const events = [
      ...at(25, [
        [0.9, 0.01],
        [0.28, 0.01],
        [0.2, 0.01],
      ]),
      { type: "diverged" as const, arm: 0, step: 30, reason: "the loss is NaN." },
    ];
    expect(say(events, 31)).toBe(
      "Hessian ranks 28.0 % of the sets right, 8.0 points ahead of Fisher (5.7 standard errors)." +
        " Vanilla diverged at step 30: the loss is NaN.",
    );
  });

  it("says the share of a batch that vanishes or explodes", () => {
    const events = [
      ...at(0, [[0.1, 0.01]]),
      curvature(0, 0, { ...histogram, zero: 50 }),
      curvature(2, 0, { ...histogram, counts: [0, 40, 0, 10] }),
    ];
    expect(say(events, 5)).toContain(
      "50.0 % of a batch has a vanishing gradient (below 1e-6) for Vanilla.",
    );
  });

  it("says what was changed", () => {
    const events = [
      ...at(0, [[0.1, 0.01]]),
      { type: "changed" as const, arm: 2, step: 7, tikhonov: 0.01, lr: null },
    ];
    expect(say(events, 8)).toContain("Fisher has λ 0.01 since step 7.");
    expect(say(events, 6)).not.toContain("since");
  });

  it("says what a change has done, against the run as it was before", () => {
    const changed = { type: "changed" as const, arm: 2, step: 7, tikhonov: 300, lr: null };
    const values = (fisher: number): [number, number][] => [
      [0.2, 0.01],
      [0.2, 0.01],
      [fisher, 0.01],
    ];
    const before = logOf([started(), ...at(10, values(0.3)), ...at(20, values(0.4))]);
    const worse = logOf([started(), changed, ...at(10, values(0.12)), ...at(20, values(0.4))]);
    const say = (step: number) => plainText(sentence(worse, step, "exact_match", before));
    expect(say(10)).toContain("Fisher has λ 300 since step 7: 18.0 points worse than without.");
    expect(say(20)).toContain("Fisher has λ 300 since step 7, and stands where it stood without.");
    expect(say(9)).not.toContain("without"); // not measured since
    const same = logOf([started(), changed, ...at(10, values(0.3))]);
    expect(plainText(sentence(same, 10, "exact_match", same))).not.toContain("without");
    const barely = logOf([started(), changed, ...at(10, values(0.29))]);
    expect(plainText(sentence(barely, 10, "exact_match", before))).toContain(
      "1.0 points worse than without, within one standard error.",
    );
  });

  it("prefers the task's primary metric", () => {
    const log = logOf([started(spec()), evaluation(0, 0, { elementwise: 0.5, exact_match: 0.1 })]);
    expect(standings(log, 0, "exact_match")?.rows[0]?.value).toBe(0.1);
    expect(standings(log, 0)?.rows[0]?.value).toBe(0.5);
  });
});
