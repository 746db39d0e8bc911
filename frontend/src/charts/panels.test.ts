import { describe, expect, it } from "vitest";
import { choice, template, view } from "../../tests/figures";
import { arm, logOf, metrics, spec, started, withRecords } from "../../tests/logs";
import type { CurvaturePoint, RunLog } from "../state/log";
import { compose, outline } from "./compose";
import { ranksOf } from "./fan";
import { summary } from "./reading";
import type { View } from "./view";

const FAN = template(
  { kind: "fan", source: "curvature", choices: [choice({ metric: "hessian.eigenvalues" })] },
  ["fan"],
);
const HEAT = template(
  { kind: "heat", source: "curvature", choices: [choice({ metric: "gradient_norms" })] },
  ["heat"],
);

function point(step: number, settings: Partial<CurvaturePoint> = {}): CurvaturePoint {
  return {
    step,
    hessian: { eigenvalues: [-0.01, 0.5, 10], condition: 100, complementCondition: 1, negative: 1 },
    fisher: null,
    directionCosine: 1,
    gradientNorms: { log10_edges: [-2, -1, 0, 1], counts: [0, 6, 2], zero: 2, non_finite: 0 },
    ...settings,
  };
}

function run(points: CurvaturePoint[], arm = 0): RunLog {
  const log = logOf([started(), metrics(0, [100], { loss: [1] })]);
  return withRecords(log, arm, { curvature: points });
}

function draw(log: RunLog, settings: Partial<View>) {
  return compose(outline(view(log, { cursor: 100, yLog: true, ...settings })));
}

describe("small multiples", () => {
  it("have a panel an arm, side by side on the same axes", () => {
    const { plots, figure, titles } = draw(run([point(0), point(50)]), { template: FAN });
    expect(plots.map(({ arm }) => arm)).toEqual([0, 1, 2]);
    const [first, second] = plots.map(({ box }) => box);
    expect(second?.left).toBeGreaterThan((first?.left ?? 0) + (first?.width ?? 0));
    expect(second?.width).toBeCloseTo(first?.width ?? 0);
    const { layout } = figure;
    expect((layout.xaxis2 as { range: unknown }).range).toEqual(
      (layout.xaxis as { range: unknown }).range,
    );
    expect(titles.map(({ text }) => text)).toEqual(["Vanilla", "Hessian", "Fisher"]);
  });

  it("have more than a zero on the axis of steps, however narrow they are", () => {
    const { figure } = draw(run([point(0), point(50)]), { template: FAN, width: 280 });
    const { ticktext } = figure.layout.xaxis as { ticktext: string[] };
    expect(ticktext).toEqual(["0", "50", ""]);
  });

  it("have their names whole, in lines, where a line has no room", () => {
    const labels = ["Vanilla", "Newton's direction", "Fisher"];
    const log = logOf([
      started(spec({ arms: labels.map((label) => arm(label)) })),
      metrics(0, [100], { loss: [1] }),
    ]);
    const at = (width: number) =>
      draw(withRecords(log, 0, { curvature: [point(0), point(50)] }), { template: FAN, width });
    const wide = at(800);
    expect(wide.titles.map(({ text }) => text)).toEqual(labels);
    const narrow = at(400);
    expect(narrow.titles.map(({ text }) => text)).toEqual([
      "Vanilla",
      "Newton's",
      "direction",
      "Fisher",
    ]);
    const bottoms = narrow.titles.map(({ bottom }) => bottom);
    expect(bottoms[1]).toBeLessThan(bottoms[2] as number);
    expect(new Set([bottoms[0], bottoms[2], bottoms[3]]).size).toBe(1);
    expect(narrow.plots[0]?.box.top).toBeGreaterThan(wide.plots[0]?.box.top ?? 0);
  });
});

describe("fan", () => {
  it("draws one line an eigenvalue, up to the cursor, with gaps between lines", () => {
    const { figure } = draw(run([point(0), point(50), point(90)]), { template: FAN, cursor: 60 });
    const xs = figure.data[0]?.x;
    expect(xs).toBeInstanceOf(Float64Array);
    expect(Array.from(xs as Float64Array)).toEqual([
      0,
      50,
      Number.NaN,
      0,
      50,
      Number.NaN,
      0,
      50,
      Number.NaN,
    ]);
  });

  it("has negative values below zero and positive ones above, both on log scales", () => {
    const drawn = draw(run([point(0)]), { template: FAN });
    const places = [-0.01, 0, 0.5, 10].map((value) => drawn.place(value));
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    expect(drawn.place(10) - drawn.place(1)).toBeCloseTo(drawn.place(1) - drawn.place(0.1), 1);
    expect(drawn.y.ticks.map(({ text }) => text)).toContain("0");
  });

  it("does not press a calm arm flat where another explodes", () => {
    const calm = { eigenvalues: [0.001, 0.5], condition: 1, complementCondition: 1, negative: 0 };
    const wild = { eigenvalues: [0, 1e7], condition: 1, complementCondition: 1, negative: 0 };
    const log = withRecords(run([point(0, { hessian: calm })]), 1, {
      curvature: [point(0, { hessian: wild })],
    });
    const { place, y } = draw(log, { template: FAN });
    expect(place(0.5) - place(0.001)).toBeGreaterThan(0.15);
    expect(y.ticks.length).toBeGreaterThan(2);
    expect(y.ticks.length).toBeLessThan(8);
  });

  it("takes quantiles of many eigenvalues", () => {
    expect(ranksOf(10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(ranksOf(101)).toEqual([0, 10, 25, 50, 75, 90, 100]);
  });

  it("leaves out an arm without that spectrum", () => {
    const fisher = choice({ metric: "fisher.eigenvalues", source: "curvature" });
    expect(draw(run([point(0)]), { template: FAN, choice: fisher }).figure.data).toEqual([]);
  });

  it("says the extreme eigenvalues in words", () => {
    const { view: of, curves } = outline(view(run([point(0)]), { template: FAN }));
    expect(summary(of, curves)).toContain("Vanilla, largest 10.0; Vanilla, smallest −0.0100");
  });
});

describe("heat", () => {
  it("gives shares of the batch, rows upwards, zero at the bottom", () => {
    const { figure, y } = draw(run([point(0), point(50)]), { template: HEAT });
    const [trace] = figure.data;
    expect(trace?.x).toEqual([0, 50]);
    expect(trace?.y).toEqual([-1.75, -0.5, 0.5]);
    expect(trace?.z).toEqual([
      [0.2, 0.2],
      [0.6, 0.6],
      [0.2, 0.2],
    ]);
    expect(y.ticks[0]?.text).toBe("0");
  });

  it("has a row for what is not finite, once there is any", () => {
    const norms = { log10_edges: [-1, 0], counts: [5], zero: 0, non_finite: 5 };
    const { figure, y } = draw(run([point(0, { gradientNorms: norms })]), { template: HEAT });
    expect(figure.data[0]?.z).toEqual([[0.5], [0.5]]);
    expect(y.ticks.at(-1)?.text).toBe("∞");
  });

  it("leaves empty bins blank", () => {
    const norms = { log10_edges: [-1, 0, 1, 2], counts: [5, 0, 5], zero: 0, non_finite: 0 };
    const { figure } = draw(run([point(0, { gradientNorms: norms })]), { template: HEAT });
    expect(figure.data[0]?.z).toEqual([[0.5], [null], [0.5]]);
  });
});
