import { describe, expect, it } from "vitest";
import { formatValue, parseHover } from "./hover";

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
