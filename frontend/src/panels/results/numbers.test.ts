import { describe, expect, it } from "vitest";
import type { ArmResult, ResultMetric, RowResult } from "../../api/types";
import { commonLabels, intervalWords, paperGain, rangeOf, shownValue, standing } from "./numbers";

const SHARE: ResultMetric = {
  name: "exact_match",
  title: "Exact match",
  unit: "",
  kind: "share",
  better: "higher",
  decimals: 1,
};
const TIME: ResultMetric = { ...SHARE, kind: "number", better: "lower", decimals: null };

function arm(label: string, gain?: [number, number, number], paper?: number): ArmResult {
  return {
    label,
    values: [],
    mean: 0.2,
    diverged: 0,
    gain: gain ? { mean: gain[0], low: gain[1], high: gain[2] } : null,
    paper: paper === undefined ? null : { mean: paper },
  };
}

function row(...arms: ArmResult[]): RowResult {
  return { title: "NeuralSort", metric: SHARE, arms, seeds: [0], note: "", specs: [], minutes: 0 };
}

describe("numbers of a reproduction", () => {
  it("shows shares in per cent and others in three digits", () => {
    expect(shownValue(SHARE, 0.1234)).toBe("12.3");
    expect(shownValue(SHARE, 0, true)).toBe("+0.0");
    expect(shownValue(TIME, 12_345)).toBe("12,345");
    expect(shownValue(TIME, 0.01234)).toBe("0.0123");
    expect(shownValue(TIME, null)).toBe("-");
  });

  it("writes an interval with its signs", () => {
    expect(intervalWords(SHARE, { mean: 0.031, low: -0.012, high: 0.05 })).toBe(
      "+3.1 (−1.2 to +5.0)",
    );
    expect(intervalWords(SHARE, { mean: 0.031, low: null, high: null })).toBe("+3.1");
  });

  it("calls an arm better or worse only where that is shown", () => {
    const gain = { mean: 0.1, low: 0.01, high: 0.2 };
    expect(standing({ ...arm("a"), gain: { ...gain, shows: "better" } })).toBe("better");
    expect(standing({ ...arm("a"), gain: { ...gain, shows: "too few seeds" } })).toBe("open");
    expect(standing(arm("a", [0.1, 0.01, 0.2]))).toBe("open");
    expect(standing(arm("a"))).toBe("open");
  });

  it("knows the paper's gain where both numbers are known", () => {
    const both = row(arm("Vanilla", undefined, 0.24), arm("Fisher", [0.1, 0, 0.2], 0.39));
    expect(paperGain(both, both.arms[1] as ArmResult)).toBeCloseTo(0.15);
    expect(paperGain(both, both.arms[0] as ArmResult)).toBeNull();
    const [low, high] = rangeOf(both);
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0.2);
  });

  it("finds arms that all rows share", () => {
    const rows = [row(arm("a"), arm("b")), row(arm("a"), arm("b"))];
    expect(commonLabels(rows)).toEqual(["a", "b"]);
    expect(commonLabels([...rows, row(arm("a"))])).toBeNull();
    expect(commonLabels([])).toBeNull();
  });
});
