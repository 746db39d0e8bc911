import { describe, expect, it } from "vitest";
import { template } from "../../tests/figures";
import { type LinesView, linesFigure } from "./lines";

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

  it("has powers of ten on a signed axis, and lets a diverged line leave it", () => {
    const line = (y: (number | null)[]) => ({
      x: y.map((_, index) => index),
      y,
      colour: "#123456",
      dash: "solid",
      name: "a",
    });
    const { data, layout } = linesFigure(
      view({ scaleY: "signed", lines: [line([1e-9, 2e-8, null]), line([1e-9, 1e188, 3])] }),
    );
    const axis = layout.yaxis as { range: number[]; tickvals: number[]; ticktext: string[] };
    const [start, end] = axis.range as [number, number];
    expect(axis.ticktext).toContain("10⁻⁸");
    expect(axis.tickvals.every((value) => value > start && value < end)).toBe(true);
    const [calm, wild] = data.map(({ y }) => (y as number[])[1] ?? 0);
    expect(((calm ?? 0) - start) / (end - start)).toBeGreaterThan(0.5);
    expect(wild).toBeGreaterThan(end);
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
      ["0", "−100"],
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
