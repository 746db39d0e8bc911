import { describe, expect, it } from "vitest";
import {
  fixed,
  formatCount,
  formatDuration,
  formatMeasured,
  formatSetting,
  formatShare,
  numberIn,
  power,
  significant,
} from "./format";

describe("numberIn", () => {
  it("reads what the page writes, and a decimal comma", () => {
    const read = ["0.5", "0,5", "0,125", " 1e-4 ", "−2", "1e−4", "30"].map(numberIn);
    expect(read).toEqual([0.5, 0.5, 0.125, 1e-4, -2, 1e-4, 30]);
  });

  it("takes nothing that is no number, or may be two", () => {
    const read = ["", " ", "x", "1,2,3", "Infinity", "12,000", "-1,000,000"].map(numberIn);
    expect(read).toEqual(Array(7).fill(null));
  });
});

describe("formatSetting", () => {
  it("writes a value that reads back as itself", () => {
    for (const value of [0, 1, 0.1, 0.3, 1e-3, 1e-4, 2.5e-6, 1e-12, 30, 1000, 250000, 1e9, -0.5]) {
      expect(Number(formatSetting(value))).toBe(value);
    }
  });

  it("is short", () => {
    expect(formatSetting(0.1)).toBe("0.1");
    expect(formatSetting(1e-4)).toBe("1e-4");
    expect(formatSetting(1000)).toBe("1000");
    expect(formatSetting(1e9)).toBe("1e9");
  });
});

describe("formatMeasured", () => {
  it("keeps about three digits", () => {
    expect(formatMeasured(0.031234)).toBe("0.0312");
    expect(formatMeasured(25123)).toBe("25,100");
    expect(formatMeasured(3.14e-7)).toBe("3.1e-7");
    expect(formatMeasured(-0.25)).toBe("−0.25");
    expect(formatMeasured(-25123)).toBe("−25,100");
    expect(formatMeasured(-3.14e-7)).toBe("−3.1e-7");
    expect(formatMeasured(0)).toBe("0");
    expect(formatMeasured(Number.NaN)).toBe("not finite");
  });
});

describe("counts, shares and durations", () => {
  it("groups", () => expect(formatCount(12000)).toBe("12,000"));
  it("writes shares in per cent", () => expect(formatShare(0.2914)).toBe("29.1 %"));
  it("writes durations in words", () => {
    expect(formatDuration(13.6)).toBe("14 s");
    expect(formatDuration(60)).toBe("1 min");
    expect(formatDuration(125)).toBe("2 min 5 s");
    expect(formatDuration(3 * 3600 + 20 * 60)).toBe("3 h 20 min");
  });
});

describe("numbers as text", () => {
  it.each([
    [0.31, "0.31"],
    [12345.678, "12,300"],
    [2.5e6, "2.5×10⁶"],
    [1e6, "10⁶"],
    [0.00012, "1.2×10⁻⁴"],
    [-0.5, "−0.5"],
    [-1e-5, "−10⁻⁵"],
    [0, "0"],
  ])("writes %f to three digits as %s", (value, text) => {
    expect(significant(value, 3)).toBe(text);
  });

  it("rounds up into the next power of ten without a mantissa of ten", () => {
    expect(significant(9.9999e-7, 3, true)).toBe("1.00×10⁻⁶");
  });

  it("writes powers, decimals and counts", () => {
    expect(power(-12)).toBe("10⁻¹²");
    expect(fixed(29.123, 1)).toBe("29.1");
    expect(fixed(-3, 1)).toBe("−3.0");
    expect(formatCount(12000.4)).toBe("12,000");
  });
});
