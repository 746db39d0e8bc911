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

  it("is nothing to what is no share of a test set", () => {
    expect(drawn([0.1, 0.3], { bounds: [0, null] })).toEqual({ line: undefined, notes: [] });
  });
});
