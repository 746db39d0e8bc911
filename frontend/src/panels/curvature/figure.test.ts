import { describe, expect, it } from "vitest";
import { template } from "../../../tests/figures";
import { type StepPicture, stepFigure } from "./figure";
import type { StepPlane } from "./step";

const TEMPLATE = template({ kind: "plane", source: "landscape" }, [
  "contour",
  "layer",
  "path",
  "here",
  "border",
  "arrow",
  "name",
]);

const AXIS = [-1, 0, 1, 2, 3];
const FLAT = AXIS.map((b) => AXIS.map((a) => a + b));

/** A gradient of length 10, and a step of length 2, turned by 30 degrees. */
function plane(settings: Partial<StepPlane> = {}): StepPlane {
  const step: [number, number] = [2 * Math.cos(Math.PI / 6), 2 * Math.sin(Math.PI / 6)];
  const common = { unit: 2, a: AXIS, b: AXIS, loss: FLAT, quadratic: FLAT };
  return {
    sample: 0,
    basis: [],
    second: "step",
    value: 7,
    gradient_norm: 10,
    step,
    tikhonov: 0.5,
    matrix: null,
    change: { ratio: 0.2, degrees: 30 },
    batch_change: null,
    before: null,
    earlier: null,
    problem: null,
    views: [
      { ...common, gradient: [10, 0] },
      { ...common, gradient: [2, 0] },
    ],
    ...settings,
  };
}

function drawn(settings: Partial<StepPicture> = {}) {
  const { palettes } = TEMPLATE.layout.meta;
  const figure = stepFigure({
    template: TEMPLATE,
    palette: palettes.light,
    plane: plane(),
    which: "rescaled",
    colour: "#0000ff",
    highlight: null,
    scale: 1,
    ...settings,
  });
  const of = (role: string) =>
    figure.data.filter((trace) => (trace.meta as { role: string }).role === role);
  return { figure, of, tips: of("arrow").map(({ x, y }) => [x, y].map(last)) };
}

const last = (values: unknown): number => (values as number[]).at(-1) as number;

describe("the pictures of a step", () => {
  it("keep lengths in one, and have one length in the other", () => {
    const rescaled = drawn();
    expect(rescaled.tips[0]).toEqual([10, 0]);
    expect(Math.hypot(...(rescaled.tips[1] ?? []))).toBeCloseTo(2);
    const turned = drawn({ which: "turned" });
    expect(turned.tips.map((tip) => Math.hypot(...tip))).toEqual([1, expect.closeTo(1)]);
    expect(turned.of("name")[0]?.text).toContain("30°");
    expect(rescaled.of("name")[0]?.text).toContain("−g: 5 × as far →");
  });

  it("leave larger words the room that they need before the edge", () => {
    const place = (scale: number): number => {
      const [names] = drawn({ scale }).of("name");
      const texts = (names?.text ?? []) as string[];
      const at = texts.findIndex((text) => text.includes("as far"));
      return ((names?.x ?? []) as number[])[at] ?? Number.NaN;
    };
    expect(place(1.5)).toBeLessThan(place(1));
  });

  it("draw the quadratic with the same heights on a finer grid", () => {
    const axis = [-1, -0.5, 0, 0.5, 1, 1.5, 2];
    const height = (a: number, b: number) => 3 - 10 * a + 20 * a * a + 2 * a * b + 0.5 * b * b;
    const common = { unit: 1, a: axis, b: axis, loss: axis.map((b) => axis.map((a) => a + b)) };
    const view = {
      ...common,
      gradient: [10, 0],
      quadratic: axis.map((b) => axis.map((a) => height(a, b))),
    };
    const layer = drawn({ plane: plane({ views: [view, view] as StepPlane["views"] }) }).of(
      "layer",
    )[0];
    const [x, y] = [layer?.x as number[], layer?.y as number[]];
    const z = layer?.z as number[][];
    expect(x.length).toBeGreaterThan(5 * axis.length);
    expect([x[0], x.at(-1)]).toEqual([-1, 2]);
    for (const [i, j] of [
      [0, 0],
      [17, 40],
      [50, 3],
    ] as const) {
      expect(z[j]?.[i]).toBeCloseTo(height(x[i] as number, y[j] as number), 6);
    }
  });

  it("pale what is not pointed at, and leave λ out for C", () => {
    const opacities = drawn({ highlight: "g" })
      .of("arrow")
      .map((trace) => trace.opacity);
    expect(opacities[0]).toBe(1);
    expect(opacities[1]).toBeLessThan(1);
    const [damped, bare] = [null, "C" as const].map(
      (highlight) => drawn({ highlight }).of("layer")[0]?.z as number[][],
    );
    // At (3, 3): 1/2 λ (3² + 3²), with λ = 0.5.
    expect((damped?.at(-1)?.at(-1) ?? 0) - (bare?.at(-1)?.at(-1) ?? 0)).toBeCloseTo(4.5);
  });

  it("show the step before a change of λ among the true lengths alone", () => {
    const changed = plane({ earlier: [1, 0] });
    expect(drawn({ plane: changed }).tips).toHaveLength(3);
    expect(drawn({ plane: changed, which: "turned" }).tips).toHaveLength(2);
  });

  it("draw no lines of a quadratic that is flat beside its height", () => {
    expect(drawn({ plane: plane({ value: 1e20 }) }).of("layer")).toEqual([]);
  });

  it("have the gradient alone where there is no step", () => {
    const views = plane().views.map((view) => ({ ...view, quadratic: null }));
    const bare = plane({
      step: null,
      change: null,
      views: [views[0] as StepPlane["views"][0], views[1] as StepPlane["views"][1]],
    });
    const { tips, of, figure } = drawn({ plane: bare });
    expect(tips).toEqual([[10, 0]]);
    expect(of("layer")).toEqual([]);
    expect(figure.tables()[0]?.rows).toHaveLength(1);
  });
});
