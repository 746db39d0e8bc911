import { describe, expect, it } from "vitest";
import { choice, template, view } from "../../tests/figures";
import { evaluation, logOf, started } from "../../tests/logs";
import { compose, outline } from "./compose";

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

  it("is nothing to what is no share of a test set", () => {
    expect(drawn([0.1, 0.3], { bounds: [0, null] })).toEqual({ line: undefined, notes: [] });
  });
});
