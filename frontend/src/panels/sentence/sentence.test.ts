import { describe, expect, it } from "vitest";
import { evaluation, logOf, spec, started } from "../../../tests/logs";
import { at, type Events, say } from "../../../tests/sentences";
import type { Expectation } from "./evidence";
import { plainText } from "./parts";
import { sentence } from "./sentence";
import { standings } from "./standings";

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

  it("says where every arm stands, and how much one seed says", () => {
    const events = at(50, [
      [0.249, 0.01],
      [0.28, 0.01],
      [0.291, 0.01],
    ]);
    expect(say(events, 60)).toBe(
      "Fisher ranks 29.1 % of the sets right, Hessian 28.0 %, Vanilla 24.9 %." +
        " Fisher is 4.2 points ahead of Vanilla (3.0 standard errors, one seed).",
    );
  });

  it("says when the gap is hardly more than the error", () => {
    const events = at(50, [
      [0.27, 0.01],
      [0.28, 0.01],
      [0.291, 0.01],
    ]);
    expect(say(events, 60)).toContain(
      "2.1 points ahead of Vanilla, but only 1.5 standard errors of one seed.",
    );
  });

  it("claims no lead within the error", () => {
    const events = at(50, [
      [0.285, 0.02],
      [0.28, 0.02],
      [0.291, 0.02],
    ]);
    expect(say(events, 60)).toContain(
      "Fisher has no clear lead over Vanilla: within one standard error (2.8 points) of one seed.",
    );
  });

  it("compares vanilla in the lead with the next", () => {
    const events = at(50, [
      [0.4, 0.01],
      [0.28, 0.01],
      [0.2, 0.01],
    ]);
    expect(say(events, 60)).toContain("Vanilla is 12.0 points ahead of Hessian");
  });

  it("says what the preset's seeds measured where they disagree, and only there", () => {
    const measured = (low: number, high: number): Expectation => ({
      sentence: "",
      metric: "exact_match",
      better: "higher",
      diverged: {},
      baseline: "Vanilla",
      values: {},
      differences: [{ arm: "Fisher", mean: (low + high) / 2, low, high }],
      seeds: 5,
      seconds: 40,
      command: "",
    });
    const events = at(50, [
      [0.2, 0.01],
      [0.3, 0.01],
      [0.56, 0.01],
    ]);
    expect(say(events, 60, measured(-0.1, 0.12))).toContain(
      "36.0 points ahead of Vanilla (over 10 standard errors, but one seed); over 5 seeds the" +
        " preset measured a lead of −10.0 to +12.0 for Fisher at the end, which includes zero.",
    );
    expect(say(events, 60, measured(-0.2, -0.1))).toContain(
      "−20.0 to −10.0 for Fisher at the end.",
    );
    expect(say(events, 60, measured(0.1, 0.2))).not.toContain("5 seeds");
    const alike = at(50, [
      [0.29, 0.02],
      [0.1, 0.02],
      [0.3, 0.02],
    ]);
    expect(say(alike, 60, measured(-0.1, 0.1))).not.toContain("5 seeds");
    expect(say(alike, 60, measured(0.1, 0.2))).toContain("+10.0 to +20.0 for Fisher");
  });

  describe("where an arm falls", () => {
    // As the default preset goes with seed 0.
    const rise: Events = [
      ...at(0, [
        [0, 0],
        [0, 0],
        [0, 0],
      ]),
      ...at(25, [
        [0.15, 0.015],
        [0.13, 0.015],
        [0.16, 0.015],
      ]),
      ...at(50, [
        [0.373, 0.022],
        [0.28, 0.02],
        [0.25, 0.02],
      ]),
    ];
    const spike = { type: "spike" as const, arm: 0, step: 61, norm: 5000, median: 0.2 };
    const fall: Events = [
      ...rise,
      spike,
      { ...spike, step: 62 },
      ...at(75, [
        [0, 0],
        [0.28, 0.02],
        [0.258, 0.02],
      ]),
    ];

    it("says every arm's fate first, and compares those that held", () => {
      expect(say(fall, 80)).toBe(
        "Vanilla fell from 37.3 % to 0.0 % after a spike at step 61, 25,000 times its usual" +
          " gradient." +
          " Hessian ranks 28.0 % of the sets right, Fisher 25.8 %: both held." +
          " Hessian has no clear lead over Fisher: within one standard error (2.8 points) of one" +
          " seed.",
      );
      expect(say(fall, 74)).not.toContain("fell");
    });

    it("takes noise for no fall, and neither a dip that leaves most of what was gained", () => {
      const dip = at(75, [
        [0.22, 0.02],
        [0.28, 0.02],
        [0.258, 0.02],
      ]);
      expect(say([...rise, ...dip], 80)).not.toContain("fell");
      const noise = [...at(0, [[0.1, 0.03]]), ...at(25, [[0.13, 0.03]]), ...at(50, [[0.09, 0.03]])];
      expect(say(noise, 60)).not.toContain("fell");
    });

    it("says that an arm got over a spike", () => {
      const events: Events = [
        ...rise,
        { ...spike, arm: 2 },
        ...at(75, [
          [0.38, 0.02],
          [0.28, 0.02],
          [0.258, 0.02],
        ]),
      ];
      expect(say(events, 80)).toContain(
        "Fisher held through a spike at step 61, 25,000 times its usual gradient.",
      );
    });

    it("names arms that diverged, and never calls the others all arms", () => {
      const events: Events = [
        ...at(25, [
          [0.9, 0.01],
          [0.28, 0.01],
          [0.28, 0.01],
        ]),
        { type: "diverged" as const, arm: 0, step: 30, reason: "the loss is NaN." },
      ];
      expect(say(events, 31)).toBe(
        "Vanilla diverged at step 30 (the loss is NaN)." +
          " Hessian ranks 28.0 % of the sets right, Fisher 28.0 %." +
          " Hessian has no clear lead over Fisher: both are equal in this one seed.",
      );
      const all: Events = [1, 2].map((arm) => ({
        type: "diverged" as const,
        arm,
        step: 35,
        reason: "the loss is NaN.",
      }));
      expect(say([...events, ...all], 40)).toContain("Hessian diverged at step 35");
    });
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
      "Vanilla held through a spike at step 40, 25,000 times its usual gradient.",
    );
  });

  it("names the worst of many spikes", () => {
    const events = [
      ...at(0, [[0.1, 0.01]]),
      { type: "spike" as const, arm: 1, step: 3, norm: 3, median: 0.2 },
      { type: "spike" as const, arm: 0, step: 4, norm: null, median: 0.2 },
    ];
    expect(say(events, 9)).toContain(
      "Vanilla held through a spike at step 4, infinitely many times its usual gradient.",
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
    const say = (step: number) =>
      plainText(sentence(worse, step, { primary: "exact_match", before }));
    expect(say(10)).toContain("Fisher has λ 300 since step 7: 18.0 points worse than without.");
    expect(say(20)).toContain("Fisher has λ 300 since step 7, with the same result as without.");
    expect(say(9)).not.toContain("without"); // not measured since
    const same = logOf([started(), changed, ...at(10, values(0.3))]);
    expect(plainText(sentence(same, 10, { primary: "exact_match", before: same }))).not.toContain(
      "without",
    );
    const barely = logOf([started(), changed, ...at(10, values(0.29))]);
    expect(plainText(sentence(barely, 10, { primary: "exact_match", before }))).toContain(
      "1.0 points worse than without, within one standard error.",
    );
  });

  it("prefers the task's primary metric", () => {
    const log = logOf([started(spec()), evaluation(0, 0, { elementwise: 0.5, exact_match: 0.1 })]);
    expect(standings(log, 0, "exact_match")?.rows[0]?.value).toBe(0.1);
    expect(standings(log, 0)?.rows[0]?.value).toBe(0.5);
  });
});
