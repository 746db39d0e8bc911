import { describe, expect, it } from "vitest";
import { choice, template, view } from "../../tests/figures";
import { evaluation, logOf, metrics, spec, started } from "../../tests/logs";
import { compose, outline, unitText } from "./compose";
import { readAt, readingText } from "./reading";
import { curvesOf, type Layer } from "./view";

function run(seed: number, loss: (number | null)[], id = `seed${seed}`) {
  const steps = loss.map((_, index) => 10 * (index + 1));
  return logOf(
    [
      started(spec({ seed })),
      metrics(0, steps, { loss }),
      evaluation(0, 10, { exact_match: 0.1 * (seed + 1), exact_match_se: 0.01 }),
      { type: "spike", arm: 0, step: 20, norm: 50, median: 1 },
    ],
    id,
  );
}

const own = run(0, [4, 2, 6]);

function over(...seeds: ReturnType<typeof run>[]): Layer[] {
  return [{ log: own, kind: "main", name: "", seeds }];
}

describe("a chart over seeds", () => {
  it("shows the mean, and a band from the least to the greatest", () => {
    const [curve] = curvesOf(view(own, { layers: over(run(1, [2, 2, 0]), run(2, [0, 5, 3])) }));
    const { y, spread } = curve?.series ?? { y: null, spread: null };
    expect([...(y?.values ?? [])]).toEqual([2, 3, 3]);
    expect([...(spread?.low.values ?? [])]).toEqual([0, 2, 0]);
    expect([...(spread?.high.values ?? [])]).toEqual([4, 5, 6]);
    expect(curve?.line).toBe(y);
  });

  it("means what is smoothed, each seed by itself", () => {
    const layers = over(run(1, [2, 2, 0]));
    const [both] = curvesOf(view(own, { layers, smoothing: 3 }));
    const alone = [own, run(1, [2, 2, 0])].map((log) => {
      const [curve] = curvesOf(view(log, { smoothing: 3 }));
      return curve?.line.at(2) ?? Number.NaN;
    });
    expect(both?.line.at(2)).toBeCloseTo(((alone[0] as number) + (alone[1] as number)) / 2);
  });

  it("has no mean where a seed has no value any more", () => {
    const [curve] = curvesOf(view(own, { layers: over(run(1, [2, 2])) }));
    expect([...(curve?.line.values ?? [])]).toEqual([3, 2, Number.NaN]);
  });

  it("says in reading and title what it is", () => {
    const exact = choice({
      metric: "exact_match",
      unit: "% right, ± standard error",
      source: "evaluation",
      factor: 100,
    });
    const chart = view(own, {
      template: template({ source: "evaluation", span: "hero", choices: [exact] }),
      choice: exact,
      layers: over(run(1, [1, 1, 1]), run(2, [1, 1, 1])),
    });
    const [reading] = readAt(curvesOf(chart), 30, "step");
    expect(readingText(reading as NonNullable<typeof reading>, "%{y:.3r} %")).toBe(
      "20.0 (10.0 to 30.0) %",
    );
    expect(unitText(chart)).toBe("% right, mean and range of 3\u00a0seeds");
    expect(unitText({ ...chart, template: template() })).toBe("% right, 3\u00a0seeds");
    expect(unitText({ ...chart, layers: [{ log: own, kind: "main", name: "" }] })).toBe(exact.unit);
  });

  it("draws band and mean, and no spikes, which are of one seed alone", () => {
    const drawn = compose(outline(view(own, { layers: over(run(1, [2, 2, 0])) })));
    const roles = drawn.figure.data.map((trace) => (trace.meta as { role: string }).role);
    expect(roles).toEqual(["band", "smooth"]);
    expect(drawn.marks).toEqual([]);
    expect(compose(outline(view(own))).marks).not.toEqual([]);
  });

  it("draws anew when a seed is done", () => {
    const [first] = curvesOf(view(own, { layers: over(run(1, [2, 2, 0])) }));
    const [second] = curvesOf(view(own, { layers: over(run(1, [2, 2, 0]), run(2, [0, 5, 3])) }));
    expect(first?.line.at(0)).toBe(3);
    expect(second?.line.at(0)).toBe(2);
  });
});
