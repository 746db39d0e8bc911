import { describe, expect, it } from "vitest";
import { choice, template, view } from "../../tests/figures";
import { evaluation, logOf, started } from "../../tests/logs";
import { compose, outline } from "./compose";
import type { View } from "./view";

const share = choice({
  metric: "exact_match",
  source: "evaluation",
  factor: 100,
  bounds: [0, 100],
  log: false,
});

function drawn(values: number[], settings = {}) {
  const points = values.map((value, index) => evaluation(0, 25 * index, { exact_match: value }));
  const of = { ...share, ...settings };
  const from = template({ source: "evaluation", choices: [of] });
  const { figure, titles } = compose(
    outline(view(logOf([started(), ...points]), { template: from, choice: of, cursor: 100 })),
  );
  const line = figure.data.find((trace) => (trace.meta as { role: string }).role === "ceiling");
  return { line, notes: titles.map(({ text }) => text) };
}

describe("100 % of an accuracy", () => {
  it("is a line where the axis shows it, whatever the curves reach", () => {
    const { line, notes } = drawn([0.1, 0.98]);
    expect(line?.y).toEqual([100, 100]);
    expect(notes).toEqual([]);
  });

  it("is said to be above where the axis ends below it", () => {
    const { line, notes } = drawn([0.1, 0.3]);
    expect(line).toBeUndefined();
    expect(notes).toEqual(["↑ 100 % is above"]);
  });

  it("makes room for the labels of curves that have only begun", () => {
    const at = (values: number[], cursor: number) => {
      const points = values.map((value, index) =>
        evaluation(0, 25 * index, { exact_match: value }),
      );
      const from = template({ source: "evaluation", choices: [share] });
      const log = logOf([started(), ...points]);
      const drawn = compose(outline(view(log, { template: from, choice: share, cursor })));
      const [end] = drawn.ends;
      return { note: drawn.titles[0]?.bottom ?? 0, label: end?.textTop ?? 0 };
    };
    const early = at([0.1, 0.3], 25);
    expect(Math.abs(early.note - early.label)).toBeGreaterThan(10);
  });

  it("is all there is to see before anything is measured", () => {
    expect(drawn([])).toEqual({ line: expect.objectContaining({ y: [100, 100] }), notes: [] });
  });

  it("is said above the plot, where no curve goes, and below it beside a changed λ", () => {
    const note = (settings: Partial<View>, changes: Parameters<typeof logOf>[0] = []) => {
      const points = [0.1, 0.3].map((value, index) =>
        evaluation(0, 50 * index, { exact_match: value }),
      );
      const from = template({ source: "evaluation", choices: [share], span: "hero" });
      const log = logOf([started(), ...points, ...changes]);
      const all = { template: from, choice: share, cursor: 100, width: 900, ...settings };
      const { plots, titles } = compose(outline(view(log, all)));
      return (titles[0]?.bottom ?? 0) - (plots[0]?.box.top ?? 0);
    };
    for (const scale of [1, 1.5]) expect(note({ scale })).toBeLessThan(0);
    const changed = { type: "changed" as const, arm: 1, step: 10, tikhonov: 7, lr: null };
    expect(note({}, [changed])).toBeGreaterThan(0);
  });

  it("is nothing to what is no share of a test set", () => {
    expect(drawn([0.1, 0.3], { bounds: [0, null] })).toEqual({ line: undefined, notes: [] });
  });
});
