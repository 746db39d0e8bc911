import { describe, expect, it } from "vitest";
import { template, view } from "../../tests/figures";
import { logOf, metrics, started, withRecords } from "../../tests/logs";
import type { RunLog } from "../state/log";
import { xPlan } from "./axes";
import { largestApart, markShapes, marksOf, reach, thinned } from "./marks";

const PLOT = { left: 40, top: 10, width: 200, height: 100 };
const AXIS = xPlan(1000, false, 4);

function spiked(spikes: [arm: number, step: number, size: number][]): RunLog {
  return spikes.reduce(
    (log, [arm, step, size]) =>
      withRecords(log, arm, { spikes: [{ step, norm: size, median: 1 }] }),
    logOf([started(), metrics(0, [1000], { loss: [1] })]),
  );
}

const spike = (at: number, size: number, colour = "#000000") => ({
  arm: 0,
  step: at,
  at,
  size,
  colour,
});

describe("marksOf", () => {
  it("draws lines through the largest spikes and ticks at the others, up to the cursor", () => {
    const log = spiked([
      [0, 500, 25_000],
      [0, 100, 12],
      [1, 300, 12],
      [1, 900, 40],
    ]);
    const marks = marksOf(view(log, { cursor: 800 }), AXIS, PLOT);
    expect(marks.map(({ kind, left, arm }) => [kind, left, arm])).toEqual([
      ["tick", 60, 0],
      ["tick", 100, 1],
      ["spike", 140, 0],
    ]);
  });

  it("notes what changed on the big chart, and draws the line on all", () => {
    const log = withRecords(spiked([]), 1, {
      changes: [{ step: 250, tikhonov: 0.1, lr: 1e-4 }],
    });
    const hero = template({ span: "hero" });
    expect(marksOf(view(log, { template: hero, cursor: 1000 }), AXIS, PLOT)[0]).toMatchObject({
      kind: "change",
      left: 90,
      note: "λ 0.1, lr 10⁻⁴",
    });
    expect(marksOf(view(log, { cursor: 1000 }), AXIS, PLOT)[0]?.note).toBe("");
  });

  it("gives a panel its own arm's alone", () => {
    const log = spiked([
      [0, 500, 30],
      [1, 600, 30],
    ]);
    const marks = marksOf(view(log, { cursor: 1000 }), AXIS, PLOT, 1);
    expect(marks.map((mark) => mark.arm)).toEqual([1]);
  });

  it("counts a spike that is not finite as the largest", () => {
    const log = spiked([
      [0, 500, Number.NaN],
      [0, 700, 100],
    ]);
    const marks = marksOf(view(log, { cursor: 1000 }), AXIS, PLOT);
    expect(marks.find((mark) => mark.kind === "spike")?.step).toBe(500);
  });
});

describe("which spikes get what", () => {
  it("keeps lines apart, the larger first, three at most", () => {
    const kept = largestApart([
      spike(10, 5),
      spike(12, 9),
      spike(50, 8),
      spike(90, 7),
      spike(150, 6),
    ]);
    expect(kept.map(({ at }) => at)).toEqual([12, 50, 90]);
  });

  it("thins a crowd to one of each colour every few pixels", () => {
    const crowd = Array.from({ length: 600 }, (_, i) => spike(i / 6, 12));
    expect(thinned(crowd).length).toBeLessThan(40);
    expect(thinned([spike(1, 9), spike(1, 9, "#ffffff")]).length).toBe(2);
  });
});

describe("marks as shapes", () => {
  it("stands where the page draws it", () => {
    const [mark] = marksOf(view(spiked([[0, 500, 30]]), { cursor: 1000 }), AXIS, PLOT);
    expect(reach(mark as never)).toEqual([10, 110]);
    expect(markShapes([mark as never], PLOT)[0]).toMatchObject({
      x0: 0.5,
      x1: 0.5,
      y0: 1,
      y1: 0,
      line: { dash: "2px,3px" },
    });
  });
});
