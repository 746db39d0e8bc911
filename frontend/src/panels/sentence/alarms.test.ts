import { describe, expect, it } from "vitest";
import { at, say } from "../../../tests/sentences";

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
    complement_condition: null,
    gradient_norms,
  };
}

describe("alarms", () => {
  const values: [number, number][] = [
    [0.1, 0.01],
    [0.5, 0.01],
    [0.5, 0.01],
  ];
  const small = { ...histogram, counts: [50, 0, 0, 0] };
  const large = { ...histogram, counts: [0, 0, 0, 50] };

  it("are of no norms that were usual from the start", () => {
    const events = [
      ...at(0, values),
      ...[0, 10, 20, 30].map((step) => curvature(0, step, large)),
      ...[0, 10, 20, 30].map((step) => curvature(1, step, small)),
    ];
    expect(say(events, 35)).not.toContain("of a batch");
  });

  it("are of gradients that grow tenfold", () => {
    const events = [
      ...at(0, values),
      ...[0, 10, 20].map((step) => curvature(2, step, histogram)),
      curvature(2, 30, { ...histogram, counts: [0, 40, 0, 10] }),
    ];
    expect(say(events, 29)).not.toContain("of a batch");
    expect(say(events, 30)).toContain(
      "20.0 % of a batch has gradients over ten times as large as usual for Fisher.",
    );
  });

  it("are of gradients that vanish as an arm falls, not of samples that are learned", () => {
    const vanishing = [
      ...[0, 10, 20].map((step) => curvature(1, step, histogram)),
      curvature(1, 30, { ...histogram, zero: 50 }),
    ];
    const before = at(0, [
      [0.1, 0.01],
      [0.1, 0.01],
    ]);
    const learned = at(25, [
      [0.1, 0.01],
      [0.95, 0.01],
    ]);
    expect(say([...before, ...learned, ...vanishing], 30)).not.toContain("of a batch");
    const fallen = at(28, [
      [0.1, 0.01],
      [0.1, 0.01],
    ]);
    expect(say([...before, ...learned, ...fallen, ...vanishing], 30)).toContain(
      "50.0 % of a batch has no gradient left for Hessian.",
    );
  });

  it("says what keeps an arm from learning, as long as it lasts", () => {
    const message = "gradient zero in 50 of 50 steps: the loss is flat at these outputs";
    const values: [number, number][] = [[0.1, 0.01]];
    const events = [
      ...at(50, values),
      { type: "notice" as const, arm: 0, step: 50, kind: "vanished" as const, message },
      ...at(100, values),
    ];
    expect(say(events, 60)).toContain(`Vanilla: ${message}.`);
    expect(say(events, 100)).not.toContain("gradient zero");
  });
});
