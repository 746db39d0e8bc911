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

  it("has a line of its own for what a log scale cannot show", () => {
    const { data, layout } = linesFigure(view({ scaleY: "log" }));
    const [low, gap, high] = (data[0]?.y ?? []) as number[];
    expect([gap, high]).toEqual([null, 100]);
    expect(low).toBeGreaterThan(0);
    const axis = layout.yaxis as { tickvals: number[]; ticktext: string[] };
    expect(axis.ticktext[axis.tickvals.indexOf(low ?? 0)]).toBe("≤ 0");
  });

  it("has a table with a row for each place, and at most a hundred and one", () => {
    const [table] = linesFigure(view()).tables();
    expect(table?.columns).toEqual(["a"]);
    expect(table?.rows.map((row) => [row.name, ...row.cells])).toEqual([
      ["0", "-100"],
      ["1", "not finite"],
      ["2", "100"],
    ]);
    const x = Array.from({ length: 401 }, (_, index) => index);
    const lines = [{ x, y: x, colour: "#123456", dash: "solid", name: "a" }];
    const [long] = linesFigure(view({ lines })).tables();
    expect(long?.rows.length).toBe(101);
    expect([long?.rows[0]?.name, long?.rows.at(-1)?.name]).toEqual(["0", "400"]);
  });

  it("marks points in their own colours", () => {
    const dots = [{ x: 1, y: 5, colour: "#abcdef", marker: "square" }];
    const dot = linesFigure(view({ dots })).data.at(-1);
    expect([dot?.x, dot?.y]).toEqual([[1], [5]]);
    expect(dot?.marker).toMatchObject({ color: "#abcdef", symbol: "square" });
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
