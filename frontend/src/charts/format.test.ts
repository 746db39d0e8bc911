import { describe, expect, it } from "vitest";
import { fixed, formatValue, integer, parseHover, power, significant } from "./format";

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
    expect(integer(12000.4)).toBe("12,000");
  });
});

describe("hover formats", () => {
  it("reads format and suffix", () => {
    expect(parseHover("%{y:.1f} %")).toEqual({ spec: ".1f", suffix: " %" });
    expect(parseHover("%{y:.3r}")).toEqual({ spec: ".3r", suffix: "" });
    expect(() => parseHover("%{text}")).toThrow("no hover template");
  });

  it("follows the format", () => {
    expect(formatValue(29.06, ".1f")).toBe("29.1");
    expect(formatValue(0.22, ".3r")).toBe("0.220");
    expect(formatValue(1284, ".3r")).toBe("1,280");
    expect(formatValue(0, ".3r")).toBe("0");
    expect(formatValue(0.123, ".0%")).toBe("12 %");
    expect(formatValue(Number.NaN, ".1f")).toBe("no value");
    expect(() => formatValue(1, "x")).toThrow("unknown number format");
  });
});
