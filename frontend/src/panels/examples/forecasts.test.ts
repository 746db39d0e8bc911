import { describe, expect, it } from "vitest";
import { describeForecast, frameOf, HIGH, tallyForecasts, WIDE } from "./forecasts";
import type { ForecastItem } from "./items";

function forecast(over: Partial<ForecastItem> = {}): ForecastItem {
  return {
    item: 0,
    seen: [5, 0, 0],
    wanted: [0, 1],
    forecast: [1, 1],
    alignment: [
      [0, 0],
      [0, 1],
      [1, 1],
    ],
    distance: 1,
    ...over,
  };
}

const places = (line: string) => line.split(" ").map((place) => place.split(",").map(Number));

describe("frameOf", () => {
  it("puts half a horizon of history before the truth, higher values higher", () => {
    const frame = frameOf(forecast());
    const [first = [], second = []] = places(frame.wanted);
    expect(places(frame.seen)).toEqual([[0, expect.any(Number)], first]);
    expect(first[0]).toBe(WIDE / 2);
    expect(second[0]).toBe(WIDE);
    expect(second[1]).toBeLessThan(first[1] ?? 0);
    expect(frame.now).toBe(WIDE / 4);
  });

  it("draws a thread for each aligned pair", () => {
    expect(frameOf(forecast()).pairs.match(/M/g)).toHaveLength(3);
    expect(frameOf(forecast({ forecast: null, alignment: null })).pairs).toBe("");
  });

  it("cuts forecasts far outside at the edge", () => {
    const [high = [], low = []] = places(frameOf(forecast({ forecast: [99, -99] })).forecast);
    expect(high[1]).toBeGreaterThanOrEqual(0);
    expect(low[1]).toBeLessThanOrEqual(HIGH);
  });

  it("takes a constant truth", () => {
    expect(frameOf(forecast({ seen: [0], wanted: [0, 0] })).wanted).not.toContain("NaN");
  });
});

describe("words about forecasts", () => {
  it("say how far they are", () => {
    expect(tallyForecasts([forecast(), forecast({ distance: 2 })])).toBe(
      "DTW distance 1.5 on average",
    );
    expect(describeForecast(forecast(), "Vanilla")).toBe(
      "Vanilla, window 1: DTW distance 1, 0.333 steps off in time",
    );
  });

  it("say what is not finite", () => {
    const lost = forecast({ forecast: null, alignment: null, distance: null });
    expect(tallyForecasts([lost, forecast()])).toBe("1 not finite");
    expect(describeForecast(lost, "A")).toBe("A, window 1: not finite");
  });
});
