import { describe, expect, it } from "vitest";
import { choice, template, view } from "../../tests/figures";
import { arm, evaluation, logOf, metrics, spec, started, withRecords } from "../../tests/logs";
import type { RunLog } from "../state/log";
import { compose, type Drawn, outline, unitText } from "./compose";
import { onSlide, titled } from "./image";
import { textWidth } from "./labelRoom";
import type { PlotlyTrace } from "./plotly";
import type { Role, TraceMeta } from "./templates";
import { MOST_POINTS, signature, type View } from "./view";

const EVALUATIONS = template({
  source: "evaluation",
  span: "hero",
  choices: [
    choice({
      metric: "exact_match",
      hover: "%{y:.1f} %",
      factor: 100,
      log: false,
      bounds: [0, 100],
    }),
  ],
});

function run(steps: number, value: (step: number, arm: number) => number | null): RunLog {
  const all = Array.from({ length: steps }, (_, k) => k + 1);
  return logOf([
    started(spec({ steps })),
    ...[0, 1, 2].map((arm) =>
      metrics(arm, all, {
        loss: all.map((step) => value(step, arm)),
        seconds: all.map((step) => step * (1 + arm)),
      }),
    ),
  ]);
}

function draw(of: View) {
  return compose(outline(of));
}

function traces(of: View, role: Role, arm?: number): PlotlyTrace[] {
  return draw(of).figure.data.filter((trace) => {
    const meta = trace.meta as TraceMeta;
    return meta.role === role && (arm === undefined || meta.arm === arm);
  });
}

function numbers(of: unknown): number[] {
  if (!(of instanceof Float64Array)) throw new Error("no typed array");
  return [...of];
}

const xs = (trace: PlotlyTrace | undefined): number[] => numbers(trace?.x);
const ys = (trace: PlotlyTrace | undefined): number[] => numbers(trace?.y);

/** A chart of one run, as far as its unit goes. */
const ONE = { template: template(), layers: [] };

describe("curves up to the cursor", () => {
  const log = run(100, (step, arm) => step + arm);

  it("hides what comes after it", () => {
    const [line] = traces(view(log, { cursor: 40 }), "smooth", 1);
    expect(xs(line).at(-1)).toBe(40);
    expect(ys(line)[0]).toBe(2);
    expect(ys(line).length).toBe(40);
  });

  it("has one raw and one smooth line an arm when smoothing, else one", () => {
    expect(traces(view(log), "raw").length).toBe(0);
    expect(traces(view(log), "smooth").length).toBe(3);
    expect(traces(view(log, { smoothing: 9 }), "raw").length).toBe(3);
    expect(traces(view(log, { smoothing: 9 }), "smooth").length).toBe(3);
  });

  it("gives each arm its colour and dash, the same for all its lines", () => {
    const lines = traces(view(log, { smoothing: 9 }), "smooth").map((t) => t.line) as {
      color: string;
      dash: string;
    }[];
    expect(lines.map((line) => line.color)).toEqual(["#808080", "#0072b2", "#d55e00"]);
    expect(lines.map((line) => line.dash)).toEqual(["solid", "7px,3px", "7px,3px"]);
  });

  it("counts seconds on x, each arm its own", () => {
    const seconds = view(log, { x: "seconds" });
    expect(xs(traces(seconds, "smooth", 0)[0]).at(-1)).toBe(100);
    expect(xs(traces(seconds, "smooth", 2)[0]).at(-1)).toBe(300);
    expect(draw(seconds).x.range).toEqual([0, 300]);
  });

  it("holds the x axis at the run's length, wherever the cursor is", () => {
    expect(draw(view(log, { cursor: 1 })).x.range).toEqual([0, 100]);
    expect(draw(view(log, { cursor: 90 })).x.range).toEqual([0, 100]);
    expect(draw(view(run(3, () => 1))).x.ticks.map(({ text }) => text)).toEqual([
      "0",
      "1",
      "2",
      "3",
    ]);
  });

  it("keeps a gap a gap", () => {
    const gap = run(50, (step) => (step === 25 ? null : 1));
    expect(ys(traces(view(gap), "smooth", 0)[0])[24]).toBeNaN();
  });

  it("draws zeros of a log axis on its floor", () => {
    const zeros = run(50, (step) => (step % 10 === 0 ? 0 : step));
    const drawn = draw(view(zeros, { yLog: true }));
    const line = drawn.figure.data[0];
    expect(Math.min(...ys(line))).toBe(drawn.y.floor);
    expect(drawn.y.floor).toBeGreaterThan(0);
  });

  it("stays within the points of a trace and keeps the spike", () => {
    const long = run(30_000, (step) => (step === 17_123 ? 5300 : 0.2));
    for (const width of [340, 1600, 6000]) {
      for (const trace of traces(view(long, { width, smoothing: 50 }), "raw")) {
        expect(xs(trace).length).toBeLessThanOrEqual(MOST_POINTS);
        expect(ys(trace)).toContain(5300);
      }
    }
  });

  it("draws only what was zoomed to, at full resolution", () => {
    const long = run(30_000, (step) => Math.sin(step));
    const zoom: View["zoom"] = { x: [1000, 1100], y: null };
    const [line] = traces(view(long, { zoom }), "smooth", 0);
    expect(xs(line).length).toBeGreaterThanOrEqual(101);
    expect(xs(line).length).toBeLessThan(110);
    expect(xs(line)).toContain(1050);
  });

  it("labels the ends of zoomed curves at the window's edge", () => {
    const zoomed = draw(view(log, { zoom: { x: [10, 20], y: null } }));
    expect(zoomed.ends.map((end) => [end.lines.join("|"), end.size])).toEqual([
      ["20.0", 0],
      ["21.0", 0],
      ["22.0", 0],
    ]);
  });
});

describe("labels", () => {
  const long = "Vanilla, log domain, clipped at 0.1";
  const at = (step: number, settings: Partial<View>) => {
    const own = spec({ arms: [arm(long), arm("Fisher")], steps: 100 });
    const events = [0, 1].map((index) => evaluation(index, step, { exact_match: 0.1 }));
    return draw(
      view(logOf([started(own), ...events]), { template: EVALUATIONS, cursor: step, ...settings }),
    );
  };
  const lines = ({ ends }: Drawn) => ends[0]?.lines;

  it("are whole in one line where a curve still leaves room beside its end", () => {
    expect(lines(at(0, { width: 400 }))).toEqual([`${long} 10.0`]);
    expect(lines(at(100, { width: 1200 }))).toEqual([`${long} 10.0`]);
  });

  it("break a long name rather than shorten it", () => {
    const drawn = at(100, { width: 400, height: 240 });
    expect(lines(drawn)?.length).toBeGreaterThan(1);
    expect(lines(drawn)?.join(" ")).toBe(`${long} 10.0`);
    for (const { lines, textLeft, font } of drawn.ends) {
      const widths = lines.map((line) => textWidth(line, font));
      expect(textLeft + Math.max(...widths)).toBeLessThanOrEqual(400);
    }
    const [first, second] = drawn.ends.map(({ textTop }) => textTop) as [number, number];
    expect(Math.abs(second - first)).toBeGreaterThan(20);
  });

  it("shorten a long name that has no room in lines, rather than the curves", () => {
    const low = { width: 310, height: 70 };
    expect(lines(at(100, low))?.join("")).toMatch(/^Vanilla.*… 10\.0$/);
    expect(at(100, low).plots[0]?.box.width).toBeGreaterThan(0.45 * 310);
  });
});

describe("layers", () => {
  const main = run(50, () => 1);
  const before = run(100, () => 2);

  it("draws a ghost whole, faint, beneath and without a label", () => {
    const layers: View["layers"] = [
      { log: main, kind: "main", name: "" },
      { log: before, kind: "ghost", name: "before" },
    ];
    const drawn = draw(view(main, { layers, cursor: 50 }));
    const first = drawn.figure.data[0];
    expect(first?.meta).toMatchObject({ role: "ghost" });
    expect(drawn.ends.length).toBe(3);
  });

  it("draws and names a run that is laid over this one", () => {
    const layers: View["layers"] = [
      { log: main, kind: "main", name: "" },
      { log: before, kind: "overlay", name: "b1f2" },
    ];
    const drawn = draw(view(main, { layers, cursor: 50, width: 800 }));
    expect(drawn.ends.map((end) => end.lines.join("|"))).toContain("Fisher · b1f2 2.00");
    const over = drawn.figure.data.find((trace) => trace.name === "Fisher · b1f2");
    expect(over?.opacity).toBeLessThan(1);
  });
});

describe("evaluations", () => {
  const log = logOf([
    started(),
    ...[0, 1].flatMap((arm) => [
      evaluation(arm, 0, { exact_match: 0.1, exact_match_se: 0.01 }),
      evaluation(arm, 25, { exact_match: arm === 0 ? null : 0.2, exact_match_se: 0.01 }),
      evaluation(arm, 50, { exact_match: 0.3, exact_match_se: 0.01 }),
      evaluation(arm, 75, { exact_match: 0.4, exact_match_se: 0.01 }),
    ]),
  ]);
  const of = view(log, {
    template: EVALUATIONS,
    choice: choice({ ...EVALUATIONS.layout.meta.choices[0] }),
    cursor: 75,
  });

  it("draws one standard error to either side", () => {
    const [band] = traces(of, "band", 1);
    expect(
      ys(band)
        .slice(0, 8)
        .map((y) => Math.round(y)),
    ).toEqual([11, 21, 31, 41, 39, 29, 19, 9]);
    expect(band?.fillcolor).toBe("rgba(0,114,178,0.5)");
  });

  it("breaks the band where the curve has a gap", () => {
    const [band] = traces(of, "band", 0);
    // The first value stands alone: a band needs two.
    expect(xs(band)).toEqual([50, 75, 75, 50, Number.NaN]);
  });

  it("names arms at the ends of the big chart's curves, values alone in a small one", () => {
    expect(draw(of).ends.map((end) => end.lines.join("|"))).toEqual([
      "Vanilla 40.0",
      "Hessian 40.0",
    ]);
    expect(
      Math.abs((draw(of).ends[0]?.textTop ?? 0) - (draw(of).ends[1]?.textTop ?? 0)),
    ).toBeCloseTo(15);
    const small = draw(view(run(9, () => 1)));
    expect(small.ends.map((end) => end.lines.join("|"))).toEqual(["1.00", "1.00", "1.00"]);
  });

  it("says of an arm that it diverged", () => {
    const diverged = logOf([
      started(),
      evaluation(0, 0, { exact_match: 0.1 }),
      { type: "diverged", arm: 0, step: 10, reason: "NaN" },
    ]);
    const at = (cursor: number) =>
      draw({ ...of, layers: [{ log: diverged, kind: "main", name: "" }], cursor }).ends[0]
        ?.lines[0];
    expect(at(5)).toBe("Vanilla 10.0");
    expect(at(20)).toBe("Vanilla diverged");
  });
});

describe("signature", () => {
  const log = run(50, () => 1);
  const sign = (settings: Partial<View>): string => {
    const { view: of, curves, x } = outline(view(log, settings));
    return signature(of, curves, x.range);
  };

  it("changes with everything that shows", () => {
    const base = sign({});
    for (const settings of [
      { cursor: 49 },
      { yLog: true },
      { smoothing: 3 },
      { width: 341 },
      { x: "seconds" },
      { palette: template().layout.meta.palettes.dark },
      { zoom: { x: [1, 2], y: null } },
    ] as Partial<View>[]) {
      expect(sign(settings)).not.toBe(base);
    }
    expect(sign({})).toBe(base);
  });

  it("does not change where a cursor moves between two evaluations", () => {
    const evaluated = logOf([started(), evaluation(0, 0, { exact_match: 0.1 })]);
    const at = (cursor: number): string => {
      const of = view(evaluated, {
        template: EVALUATIONS,
        choice: choice({ metric: "exact_match", source: "evaluation" }),
        cursor,
      });
      const { curves, x } = outline(of);
      return signature(of, curves, x.range);
    };
    expect(at(41)).toBe(at(99));
  });
});

describe("figure that leaves the page", () => {
  it("has its title, labels and marks in it", () => {
    const spikes = [{ step: 20, norm: 9, median: 0.1 }];
    const log = withRecords(
      run(50, (step) => step),
      0,
      { spikes },
    );
    const { layout } = titled(draw(view(log)));
    expect((layout.title as { text: string }).text).toBe("Loss");
    const notes = layout.annotations as { text: string }[];
    expect(notes.filter(({ text }) => text === "50.0").length).toBe(3);
    expect((layout.shapes as unknown[]).length).toBe(1);
  });

  it("names every arm on a slide, also of a chart whose labels are values alone", () => {
    const { width: _width, height: _height, ...small } = view(run(50, (step) => step));
    const { layout } = titled(onSlide(small));
    const names = (layout.annotations as { text: string }[]).map(({ text }) => text);
    expect(names).toEqual(["Vanilla 50.0", "Hessian 50.0", "Fisher 50.0"]);
    expect(layout.height).toBe(720);
  });

  it("says the scale beside the unit once", () => {
    expect(unitText({ ...ONE, choice: choice(), yLog: true, smoothing: 1 })).toBe(
      "batch mean, log",
    );
    expect(unitText({ ...ONE, choice: choice(), yLog: false, smoothing: 1 })).toBe("batch mean");
    expect(
      unitText({ ...ONE, choice: choice({ unit: "norm, log" }), yLog: true, smoothing: 1 }),
    ).toBe("norm, log");
  });

  it("says that a line and the values at its end are smoothed", () => {
    const smooth = { choice: choice(), yLog: false, smoothing: 5 };
    expect(unitText({ ...ONE, ...smooth })).toBe("batch mean,\u00a0≈\u00a0smoothed");
    expect(unitText({ ...ONE, ...smooth, smoothing: 1 })).toBe("batch mean");
  });

  it("says of a fan that its log scale is signed, and of its linear one nothing", () => {
    const fan = choice({ unit: "eigenvalues", signed: true });
    expect(unitText({ ...ONE, choice: fan, yLog: true, smoothing: 1 })).toBe(
      "eigenvalues, signed\u00a0log",
    );
    expect(unitText({ ...ONE, choice: fan, yLog: false, smoothing: 1 })).toBe("eigenvalues");
  });
});
