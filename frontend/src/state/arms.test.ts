import { describe, expect, it } from "vitest";
import { arm } from "../../tests/logs";
import { armStyles, methodStyle, strokeDash } from "./arms";

const three = [
  arm("Vanilla"),
  arm("Hessian", { curvature: "hessian" }),
  arm("Fisher", { curvature: "fisher" }),
];

describe("armStyles", () => {
  it("gives vanilla grey, Hessian blue, Fisher orange", () => {
    expect(armStyles(three).map((style) => style.slot)).toEqual([0, 1, 2]);
  });

  it("never gives two arms one colour or one dash", () => {
    const six = Array.from({ length: 6 }, () => arm("Fisher", { curvature: "fisher" }));
    const styles = armStyles(six);
    expect(new Set(styles.map((style) => style.slot)).size).toBe(6);
    expect(new Set(styles.map((style) => style.dash)).size).toBe(6);
    expect(new Set(styles.map((style) => style.marker)).size).toBe(6);
  });

  it("keeps a method's colour and dash wherever the arm stands", () => {
    const mixed = [
      arm("Vanilla"),
      arm("Clipped", { gradient: "clip" }),
      arm("Vanilla again"),
      arm("Fisher", { curvature: "fisher" }),
      arm("Length", { curvature: "hessian", component: "length" }),
      arm("Hessian", { curvature: "hessian" }),
    ];
    const styles = armStyles(mixed);
    expect(styles[0]).toEqual(methodStyle("vanilla"));
    expect(styles[1]).toEqual(methodStyle("clip"));
    expect(styles[3]).toEqual(methodStyle("fisher"));
    expect(styles[5]).toEqual(methodStyle("hessian"));
    expect(styles[4]).toEqual(methodStyle("length"));
    expect(styles[2]?.slot).toBe(5);
  });

  it("gives a half of the Newton step its colour beside any bounded gradient", () => {
    const length = arm("Length", { curvature: "hessian", component: "length" });
    for (const gradient of ["clip", "normalise"] as const) {
      const styles = armStyles([arm("Vanilla"), arm("Bounded", { gradient }), length]);
      expect(styles[2]).toEqual(methodStyle("length"));
    }
  });

  it("tells arms of one chosen colour apart by their dashes", () => {
    const styles = armStyles(three, [1, 1, null]);
    expect(styles.map((style) => style.slot)).toEqual([1, 1, 2]);
    expect(new Set(styles.map((style) => style.dash)).size).toBe(3);
  });

  it("lets a chosen colour win, and moves the others aside", () => {
    expect(armStyles(three, [2]).map((style) => style.slot)).toEqual([2, 1, 3]);
    expect(armStyles(three, [null, 4]).map((style) => style.slot)).toEqual([0, 4, 2]);
  });

  it("writes a dash as SVG wants it", () => {
    expect(strokeDash("solid")).toBe("");
    expect(strokeDash("7px,3px")).toBe("7,3");
  });
});
