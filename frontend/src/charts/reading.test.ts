import { describe, expect, it } from "vitest";
import { choice, template, view } from "../../tests/figures";
import { evaluation, logOf, metrics, started } from "../../tests/logs";
import { outline } from "./compose";
import { headingStep, readAt, readingText, stepNote, summary, tableOf } from "./reading";

const log = logOf([
  started(),
  metrics(0, [1, 2, 3, 4], { loss: [4, 8, null, 2] }),
  metrics(1, [1, 2], { loss: [1, 1] }),
]);
const of = view(log, { cursor: 4 });
const { curves } = outline(of);

describe("readAt", () => {
  it("reads each curve at or before the step", () => {
    const readings = readAt(curves, 2, "step");
    expect(readings.map((reading) => [reading.curve.label, reading.step, reading.value])).toEqual([
      ["Vanilla", 2, 8],
      ["Hessian", 2, 1],
    ]);
    expect(readAt(curves, 9, "step").map((reading) => reading.step)).toEqual([4, 2]);
    expect(readAt(curves, 0, "step")).toEqual([]);
  });

  it("never reads past the cursor", () => {
    const early = outline({ ...of, cursor: 1 }).curves;
    expect(readAt(early, 4, "step")[0]?.value).toBe(4);
  });

  it("gives the recorded value beside the running mean", () => {
    const smooth = outline({ ...of, smoothing: 3 }).curves;
    const [reading] = readAt(smooth, 2, "step");
    expect(reading?.raw).toBe(8);
    expect(reading?.value).toBeCloseTo((8 + 4 / 2) / 1.5);
    expect(readingText(reading as never, "%{y:.3r}")).toBe("6.67 (raw 8.00)");
  });

  it("writes errors, gaps and units", () => {
    const texts = (step: number) =>
      readAt(curves, step, "step").map((r) => readingText(r, "%{y:.1f} %"));
    expect(texts(3)[0]).toBe("no value");
    expect(texts(2)[0]).toBe("8.0 %");
    const evaluated = logOf([started(), evaluation(0, 0, { accuracy: 0.5, accuracy_se: 0.01 })]);
    const percent = choice({ metric: "accuracy", factor: 100, hover: "%{y:.1f} %" });
    const shown = template({ source: "evaluation", choices: [percent] });
    const [reading] = readAt(outline(view(evaluated, { template: shown })).curves, 0, "step");
    expect(readingText(reading as never, percent.hover)).toBe("50.0 ± 1.0 %");
  });
});

describe("the step of a read-out", () => {
  const evaluated = (...last: number[]) =>
    view(
      logOf([
        started(),
        ...last.flatMap((step, arm) => [
          evaluation(arm, 0, { accuracy: 0.5 }),
          evaluation(arm, step, { accuracy: 0.6 }),
        ]),
        metrics(0, [2000], { loss: [1] }),
      ]),
      { template: template({ source: "evaluation", choices: [choice({ metric: "accuracy" })] }) },
    );
  const at = (step: number, ...last: number[]) => {
    const readings = readAt(outline(evaluated(...last)).curves, step, "step");
    const heading = headingStep(readings, step);
    return [heading, ...readings.map((reading) => stepNote(reading, heading))];
  };

  it("is the one that the values are of", () => {
    expect(at(168, 150, 150)).toEqual([150, "", ""]);
    expect(at(150, 150, 150)).toEqual([150, "", ""]);
    expect(at(149, 150, 150)).toEqual([0, "", ""]);
  });

  it("is the pointer's where they differ, and each value then says its own", () => {
    expect(at(1168, 1150, 100)).toEqual([1168, " at step 1,150", " at step 100"]);
    expect(at(1150, 1150, 100)).toEqual([1150, "", " at step 100"]);
    expect(headingStep([], 7)).toBe(7);
  });
});

describe("summary", () => {
  it("says last, least and greatest of each arm, and what was not finite", () => {
    expect(summary(of, curves)).toBe(
      "Loss, batch mean. At step 4: Vanilla 2.00, between 2.00 and 8.00 so far, " +
        "1 values not finite; Hessian 1.00.",
    );
  });

  it("goes back when the cursor does", () => {
    const early = { ...of, cursor: 1 };
    expect(summary(early, outline(early).curves)).toContain("Vanilla 4.00; Hessian 1.00.");
    expect(summary(of, curves)).toContain("between 2.00 and 8.00");
  });

  it("says that there is nothing yet", () => {
    const empty = view(logOf([started()]));
    expect(summary(empty, outline(empty).curves)).toBe("Loss, batch mean. No values yet.");
  });
});

describe("tableOf", () => {
  it("has a row a step and a column an arm, with recorded values", () => {
    const table = tableOf({ ...of, smoothing: 3 }, outline({ ...of, smoothing: 3 }).curves, 10);
    expect(table.columns).toEqual(["Vanilla", "Hessian"]);
    expect(table.rows).toEqual([
      { step: 1, cells: ["4.00", "1.00"] },
      { step: 2, cells: ["8.00", "1.00"] },
      { step: 3, cells: ["not finite", ""] },
      { step: 4, cells: ["2.00", ""] },
    ]);
    expect(table.total).toBe(4);
  });

  it("selects evenly, with the first and the last", () => {
    const steps = Array.from({ length: 1000 }, (_, k) => k + 1);
    const long = view(logOf([started(), metrics(0, steps, { loss: steps })]));
    const table = tableOf(long, outline(long).curves, 5);
    expect(table.rows.map((row) => row.step)).toEqual([1, 251, 501, 750, 1000]);
    expect(table.total).toBe(1000);
  });
});
