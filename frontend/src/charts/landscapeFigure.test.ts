import { describe, expect, it } from "vitest";
import { template } from "../../tests/figures";
import { formatHeight } from "../format";
import { heightAt, heightRange, type Landscape, liftOf, mixed, trimmedRange } from "./landscape";
import { landscapeFigure, pointUnder } from "./landscapeFigure";
import type { LandscapeView } from "./plane";

const TEMPLATE = template({ kind: "plane", source: "landscape" }, [
  "contour",
  "layer",
  "path",
  "here",
  "border",
  "arrow",
  "name",
  "surface",
  "path3d",
]);
const LANDSCAPE: Landscape = {
  x: [0, 1, 2],
  y: [0, 10],
  values: [
    [1, 10, 100],
    [2, null, 1000],
  ],
};

const WHOLE: Landscape = {
  ...LANDSCAPE,
  values: [
    [1, 10, 100],
    [2, 20, 200],
  ],
};

function view(settings: Partial<LandscapeView> = {}): LandscapeView {
  return {
    template: TEMPLATE,
    palette: TEMPLATE.layout.meta.palettes.light,
    landscape: LANDSCAPE,
    log: false,
    colours: null,
    surface: false,
    titles: ["a", "b"],
    label: "loss",
    scale: 1,
    ...settings,
  };
}

describe("heights", () => {
  it("range over all pictures, gaps left out", () => {
    expect(heightRange([LANDSCAPE])).toEqual([1, 1000]);
    expect(heightRange([{ ...LANDSCAPE, values: [[null]] }])).toBeNull();
  });

  it("are coloured without their extremes", () => {
    const values = [Array.from({ length: 1000 }, (_, index) => index), [1e9, null]];
    expect(trimmedRange({ x: [], y: [], values })).toEqual([10, 990]);
    expect(trimmedRange({ x: [], y: [], values: [[null]] })).toBeNull();
  });

  it("are lifted above zero for a log scale, and only then", () => {
    expect(liftOf([0.1, 5])).toBe(0);
    expect(-3 + liftOf([-3, 7])).toBeGreaterThan(0);
  });

  it("are read between grid points, and nowhere else", () => {
    expect(heightAt(LANDSCAPE, [0.5, 0])).toBeNull(); // beside a gap
    const whole = {
      ...LANDSCAPE,
      values: [
        [0, 2, 4],
        [4, 6, 8],
      ],
    }; // prettier-ignore
    expect(heightAt(whole, [0.5, 5])).toBe(3);
    expect(heightAt(whole, [2, 10])).toBe(8);
    expect(heightAt(whole, [2.1, 0])).toBeNull();
  });
});

describe("landscapeFigure", () => {
  it("draws logarithms in colours that pictures share", () => {
    const { data } = landscapeFigure(view({ log: true, colours: [1, 1e4] }));
    const [contour] = data;
    expect(contour?.z).toEqual([
      [0, 1, 2],
      [Math.log10(2), null, 3],
    ]);
    expect([contour?.zmin, contour?.zmax]).toEqual([0, 4]);
  });

  it("puts paths on contours, and onto the surface at its height", () => {
    const path = {
      points: [
        [0, 0],
        [2, 0],
      ] as [number, number][],
      look: { colour: "#123456" },
    }; // prettier-ignore
    const flat = landscapeFigure(view({ paths: [{ ...path, here: true }] }));
    expect(flat.data.map((trace) => (trace.meta as { role: string }).role)).toEqual([
      "contour",
      "path",
      "here",
    ]);
    const deep = landscapeFigure(view({ surface: true, paths: [path], landscape: WHOLE }));
    expect(deep.data.length).toBe(2);
    const lifted = (deep.data[1]?.z ?? []) as number[];
    expect(lifted[0]).toBeGreaterThan(1);
    expect(lifted.at(-1)).toBeGreaterThan(100);
    expect(deep.layout.scene).toBeDefined();
    expect(flat.layout.scene).toBeUndefined();
  });

  it("lays a path over a hill between two of its steps", () => {
    const hill: Landscape = { x: [0, 1, 2], y: [0, 1], values: [0, 1].map(() => [0, 50, 0]) };
    const points: [number, number][] = [
      [0, 0],
      [2, 0],
    ]; // prettier-ignore
    const path = { points, look: { colour: "#123456" } };
    const { data, layout } = landscapeFigure(
      view({ surface: true, landscape: hill, paths: [path] }),
    );
    expect(Math.max(...((data[1]?.z ?? []) as number[]))).toBeGreaterThan(50);
    const scene = layout.scene as Record<string, { title: { text: string } }>;
    expect(["xaxis", "yaxis", "zaxis"].map((axis) => scene[axis]?.title.text)).toEqual([
      "a",
      "b",
      "loss",
    ]);
  });

  it("shows ends that lie on one another as rings", () => {
    const path = { points: [[1, 5]] as [number, number][], look: { colour: "#1" }, here: true };
    const { data } = landscapeFigure(view({ paths: [path, path] }));
    const sizes = data.slice(-2).map(({ marker }) => (marker as { size: number }).size);
    expect(sizes[1]).toBeLessThan(sizes[0] as number);
  });

  it("marks where a path leaves the picture, and ends it far outside", () => {
    const far: [number, number][] = [
      [1, 5],
      [3, 5],
      [1e308, 5],
      [-1e308, 1e300],
    ]; // prettier-ignore
    const path = { points: far, look: { colour: "#123456" }, here: true };
    const flat = landscapeFigure(view({ paths: [path] })).data;
    expect(flat.length).toBe(3);
    expect([flat[2]?.x, flat[2]?.y]).toEqual([[2], [5]]);
    expect(flat[2]?.marker).toMatchObject({ symbol: "triangle-right" });
    expect(flat[1]?.x).toEqual([1, 3, 102]);
    expect(flat[1]?.y).toEqual([5, 5, 5]);
    const near = landscapeFigure(view({ paths: [{ ...path, points: far.slice(0, 2) }] })).data;
    expect(near.length).toBe(3);
    const deep = landscapeFigure(view({ surface: true, paths: [path], landscape: WHOLE })).data;
    const drawn = ((deep[1]?.x ?? []) as (number | null)[]).filter((x) => x !== null);
    expect(drawn[0]).toBe(1);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(2);
  });

  it("leaves out names that stand far outside", () => {
    const name = { text: "z*", colour: "#123456" };
    const names = [
      { ...name, at: [1e308, 5] as const },
      { ...name, at: [3, 5] as const },
    ];
    const [, drawn] = landscapeFigure(view({ names })).data;
    expect([drawn?.x, drawn?.text]).toEqual([[3], ["z*"]]);
  });

  it("reads a path where it says something, and lets it be where not", () => {
    const points: [number, number][] = [[1, 0]];
    const look = { colour: "#123456" };
    const paths = [
      { points, look, says: ["Fisher at step 3"] },
      { points, look },
    ]; // prettier-ignore
    const [, first, second] = landscapeFigure(view({ paths })).data;
    expect(first?.customdata).toEqual(["Fisher at step 3"]);
    expect(first?.hoverinfo).toBe("all");
    expect(second?.hovertemplate).toBeUndefined();
  });

  it("has tables of its paths and of a coarse grid, the top row first", () => {
    const points: [number, number][] = [
      [0, 0],
      [2, 10],
      [9, 9],
    ]; // prettier-ignore
    const paths = [{ points, look: { colour: "#123456" }, name: "Fisher" }];
    const [ways, grid] = landscapeFigure(view({ paths, landscape: WHOLE })).tables();
    expect(ways?.rows).toEqual([{ name: "Fisher", cells: ["(0, 0)", "(9, 9)", "1", "outside"] }]);
    expect(grid?.columns).toEqual(["0", "1", "2"]);
    expect(grid?.rows).toEqual([
      { name: "10", cells: ["2", "20", "200"] },
      { name: "0", cells: ["1", "10", "100"] },
    ]);
    expect(landscapeFigure(view()).tables().length).toBe(1);
  });

  it("reads both functions and their gap", () => {
    const layer = { landscape: LANDSCAPE, colour: "#000000", label: "surrogate" };
    const [contour] = landscapeFigure(view({ layer })).data;
    const texts = (contour?.customdata ?? []) as string[][];
    expect(texts[0]?.[1]).toBe("loss 10<br>surrogate 10, gap 0");
    expect(texts[1]?.[1]).toContain("not finite");
  });
});

describe("small helpers", () => {
  it("finds the point under the pointer, and none in the margins", () => {
    const { layout } = landscapeFigure(view());
    const margin = layout.margin as { l: number; r: number; t: number; b: number };
    const size = { width: margin.l + margin.r + 200, height: margin.t + margin.b + 100 };
    expect(pointUnder(layout, size, margin.l, margin.t)).toEqual([0, 10]);
    expect(pointUnder(layout, size, margin.l + 100, margin.t + 100)).toEqual([1, 0]);
    expect(pointUnder(layout, size, 2, 50)).toBeNull();
  });

  it("finds it where both axes have one scale and the plot is in the middle of its room", () => {
    const template: LandscapeView["template"] = {
      ...TEMPLATE,
      layout: { ...TEMPLATE.layout, yaxis: { scaleanchor: "x" } },
    };
    const square = { ...LANDSCAPE, x: [0, 5, 10] };
    const { layout } = landscapeFigure(view({ template, landscape: square }));
    expect(layout.yaxis).toMatchObject({ scaleanchor: "x", title: { text: "b" } });
    const { l, r, t, b } = layout.margin as { l: number; r: number; t: number; b: number };
    const size = { width: l + r + 200, height: t + b + 100 };
    expect(pointUnder(layout, size, l + 50, t)).toEqual([0, 10]);
    expect(pointUnder(layout, size, l + 150, t + 100)).toEqual([10, 0]);
    expect(pointUnder(layout, size, l + 40, t)).toBeNull();
  });

  it("gives a strip two scales, and says so", () => {
    const template: LandscapeView["template"] = {
      ...TEMPLATE,
      layout: { ...TEMPLATE.layout, yaxis: { scaleanchor: "x" } },
    };
    const { yaxis } = landscapeFigure(view({ template })).layout;
    expect(yaxis).toMatchObject({ scaleanchor: false, title: { text: "b, at another scale" } });
  });

  it("mixes colours and shortens numbers", () => {
    expect(mixed("#000000", "#ff8000", 0.5)).toBe("#804000");
    expect(formatHeight(0.123456)).toBe("0.123");
    expect(formatHeight(1234567)).toBe("1.2e6");
    expect(formatHeight(null)).toBe("not finite");
  });
});

describe("a plain", () => {
  it("has colours and lines between two ends, however high it is", () => {
    const row = [1e20, 1e20, 1e20];
    const { data } = landscapeFigure(view({ landscape: { ...WHOLE, values: [row, row] } }));
    const { zmin, zmax, contours } = data[0] as {
      zmin: number;
      zmax: number;
      contours: { start: number; end: number; size: number };
    };
    expect(zmax).toBeGreaterThan(zmin);
    expect(contours.start + contours.size).toBeGreaterThan(contours.start);
    expect(contours.end).toBeGreaterThan(contours.start);
  });
});
