import { describe, expect, it } from "vitest";
import { type AddressState, readAddress, writeAddress } from "./compare";

const defaults = readAddress("");

describe("the address", () => {
  it("is empty for the defaults", () => {
    expect(writeAddress(defaults)).toBe("");
  });

  const cases: Partial<AddressState>[] = [
    { preset: "collapse" },
    { spec: "loss.name~neuralsort~arms.0.label~Fisher λ, ½ & more" },
    { step: 0 },
    { step: 7440, speed: 100, x: "seconds", xaxis: "log", yaxis: "linear", smooth: 25 },
    { with: ["a1", "b2"] },
    { seeds: ["a1", "b2"] },
    {
      charts: [
        ["loss", { metric: "newton_loss", log: null }],
        ["curvature", { metric: "hessian.largest", log: true }],
        ["cosine", { metric: null, log: false }],
      ],
    },
    { vanishing: -4, exploding: 0 },
    { colours: [null, 3, 0] },
    { theme: "dark", present: true },
  ];

  it.each(cases)("carries %o", (state) => {
    expect(readAddress(writeAddress({ ...defaults, ...state }))).toEqual({ ...defaults, ...state });
  });

  it("stays readable", () => {
    expect(writeAddress({ spec: "loss.t~0.5", with: ["a", "b"], present: true })).toBe(
      "?spec=loss.t~0.5&with=a,b&present",
    );
  });

  it("ignores unknown keys and wrong values", () => {
    expect(
      readAddress("?nonsense=1&step=-3&speed=fast&x=metres&theme=&smooth=1.5&colours=0,9&step"),
    ).toEqual(defaults);
  });

  it("takes a flag in any form", () => {
    expect(readAddress("?present").present).toBe(true);
    expect(readAddress("?present=1").present).toBe(true);
    expect(readAddress("?present=0").present).toBe(false);
  });
});
