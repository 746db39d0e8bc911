import { describe, expect, it } from "vitest";
import type { GradientsAnswer } from "../../api/descents";
import { dampingWords, flipNote, flipWords, notedFlips } from "./findings";

type Field = GradientsAnswer["field"];
type Curve = Field["curves"][number];

function curve(name: string, norm: number[], more: Partial<Curve> = {}): Curve {
  const settings =
    name === "hessian"
      ? ({
          curvature: "hessian",
          tikhonov: 0.5,
          hessian: "batch_mean",
          definiteness: "raw",
        } as const)
      : null;
  return { name, component: norm, norm, regions: [], settings, problem: null, flips: [], ...more };
}

const field = (...curves: Curve[]): Field => ({ scores: [0, 1, 100], value: [0, 0, 0], curves });
const exploding = { regions: [{ kind: "exploding" as const, first: 1, last: 1 }] };

describe("the finding of a gradient field", () => {
  it("is what explodes, what damps it, and whether it is rounding", () => {
    const answer = {
      field: field(curve("raw", [1, 47000, 2], exploding), curve("fisher", [1, 0.5, 1])),
      numerics: field(curve("log_domain float32", [1, 4.1, 1])),
    };
    expect(dampingWords(answer)).toBe(
      "At x₁ = 1 the raw gradient explodes: it is 47,000 long; the Fisher step 0.5." +
        " Computed exactly it is 4.1: the explosion is rounding.",
    );
    const calm = { field: field(curve("raw", [1, 3, 2]), curve("fisher", [1, 2, 1])) };
    expect(dampingWords({ ...calm, numerics: null })).toBe(
      "At x₁ = 1 the raw gradient is longest: 3 long; the Fisher step 2.",
    );
  });

  it("is why the Hessian's line flips, where it does", () => {
    const flips = [
      { first: 1, last: 1, lowest: -3 },
      { first: 10, last: 40, lowest: -9.5 },
    ];
    const found = field(curve("raw", [1, 1, 1]), curve("hessian", [1, 1, 1], { flips }));
    expect(flipWords(found)).toContain("flips at x₁ = 1, 10 to 40: there C + λI has an eigenvalue");
    expect(flipWords(found)).toContain("A λ above 10, or a rule");
    expect(notedFlips(found)).toEqual([flips[1]]);
    const narrow = field(curve("hessian", [1, 1, 1], { flips: flips.slice(0, 1) }));
    expect(notedFlips(narrow)).toEqual([flips[0]]);
    expect(flipNote({ first: 0, last: 1, lowest: -3 })).toBe("C + λI bends down (−3)");
    const coupled = [{ first: 1, last: 2, lowest: 0.5 }];
    expect(flipWords(field(curve("hessian", [1, 1, 1], { flips: coupled })))).toContain("couples");
    expect(flipWords(field(curve("raw", [1, 1, 1])))).toBe("");
  });
});
