import { describe, expect, it } from "vitest";
import { arm } from "../../tests/logs";
import { armStyles, strokeDash } from "./arms";

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

  it("lets a chosen colour win, and moves the others aside", () => {
    expect(armStyles(three, [2]).map((style) => style.slot)).toEqual([2, 1, 3]);
    expect(armStyles(three, [null, 4]).map((style) => style.slot)).toEqual([0, 4, 2]);
  });

  it("writes a dash as SVG wants it", () => {
    expect(strokeDash("solid")).toBe("");
    expect(strokeDash("7px,3px")).toBe("7,3");
  });
});
