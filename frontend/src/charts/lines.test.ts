import { describe, expect, it } from "vitest";
import { template } from "./fixtures";
import { type LinesView, linesFigure, signedLog } from "./lines";

const TEMPLATE = template({ kind: "lines", source: "landscape" }, ["line"]);

function view(settings: Partial<LinesView> = {}): LinesView {
  return {
    template: TEMPLATE,
    palette: TEMPLATE.layout.meta.palettes.light,
    lines: [{ x: [0, 1, 2], y: [-100, null, 100], colour: "#123456", dash: "solid", name: "a" }],
    titles: ["x", "y"],
    scaleY: "linear",
    scale: 1,
    ...settings,
  };
}

describe("linesFigure", () => {
  it("keeps gaps and what hovering reads", () => {
    const [line] = linesFigure(view({ scaleY: "signed" })).data;
    const [low, gap, high] = (line?.y ?? []) as number[];
    expect(gap).toBeNull();
    expect(low).toBe(-(high ?? 0));
    expect(line?.customdata).toEqual([-100, null, 100]);
  });

  it("leaves out what a log scale cannot show", () => {
    expect(linesFigure(view({ scaleY: "log" })).data[0]?.y).toEqual([null, null, 100]);
  });

  it("shades stretches and marks the cursor", () => {
    const shades = [{ from: 1, to: 2, colour: "#ff0000" }];
    const shapes = linesFigure(view({ shades, cursor: 1 })).layout.shapes as { x0: number }[];
    expect(shapes.map((shape) => shape.x0)).toEqual([1, 1]);
  });
});

describe("signedLog", () => {
  it("grows by one with every power of ten, to both sides", () => {
    expect(signedLog(1e5, 1) - signedLog(1e4, 1)).toBeCloseTo(1, 6);
    expect(signedLog(-7, 1)).toBe(-signedLog(7, 1));
    expect(signedLog(0, 1)).toBe(0);
  });
});
