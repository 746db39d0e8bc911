import { describe, expect, it } from "vitest";
import { choice, template, view } from "../../tests/figures";
import { arm, logOf, metrics, spec, started } from "../../tests/logs";
import type { RunLog } from "../state/log";
import { compose, outline } from "./compose";
import { fitting, shortened, textWidth } from "./labelRoom";
import type { View } from "./view";

function run(...values: (number | null)[]): RunLog {
  const steps = values.map((_, index) => index + 1);
  return logOf([started(), metrics(0, steps, { loss: values })]);
}

function draw(log: RunLog, settings: Partial<View> = {}) {
  return compose(outline(view(log, settings)));
}

/** Pixels left beside the plot. */
function room(log: RunLog, settings: Partial<View> = {}): number {
  const drawn = draw(log, settings);
  const box = drawn.plots[0]?.box ?? { left: 0, width: 0 };
  return drawn.view.width - box.left - box.width;
}

describe("textWidth", () => {
  it("is that of a wide font, measured", () => {
    // DejaVu Sans Bold, of 11 pixels: the widest of those that pages are shown in.
    expect(textWidth("832,000", 11)).toBeGreaterThanOrEqual(50.1);
    expect(textWidth("1.00×10⁻⁶", 11)).toBeGreaterThanOrEqual(62.2);
    expect(textWidth("diverged", 11)).toBeGreaterThanOrEqual(54.9);
    expect(textWidth("832,000", 22)).toBeCloseTo(2 * textWidth("832,000", 11));
  });
});

describe("room beside the plot", () => {
  it.each([832_000, -832_000, 1.23e-7, -4.56e-12, 9.87e101, 0.00123, 0.5])(
    "takes the whole of %f, in small charts and named ones",
    (value) => {
      for (const width of [240, 340, 900]) {
        for (const scale of [1, 1.6]) {
          const [end] = draw(run(1, value), { width, scale }).ends;
          expect(end?.lines.join("|")).not.toContain("…");
          const right = (end?.textLeft ?? 0) + textWidth(end?.lines[0] ?? "", end?.font ?? 0);
          expect(right).toBeLessThanOrEqual(width);
        }
      }
    },
  );

  it("takes the word at the end of a diverged arm", () => {
    const log = logOf([
      started(),
      metrics(0, [1, 2], { loss: [1, 2] }),
      { type: "diverged", arm: 0, step: 2, reason: "NaN" },
    ]);
    const [end] = draw(log).ends;
    expect(end?.lines.join("|")).toBe("diverged");
    expect((end?.textLeft ?? 0) + textWidth("diverged", 11)).toBeLessThanOrEqual(340);
  });

  it("is the same for usual values, and never shrinks while a run goes on", () => {
    expect(room(run(1, 0.25))).toBe(room(run(1, 12_300)));
    const log = run(1, 832_000, 0.5);
    expect(room(log, { cursor: 1 })).toBeLessThan(room(log, { cursor: 2 }));
    expect(room(log, { cursor: 3 })).toBe(room(log, { cursor: 2 }));
    expect(room(log, { cursor: 1 })).toBe(room(run(1)));
  });

  it("leaves a name whole where the big chart has room beside its curves", () => {
    const long = template({
      span: "hero",
      choices: [choice({ hover: "%{y:.1f} %", bounds: [0, 100] })],
    });
    const log = logOf([
      started(spec({ arms: [arm("Vanilla, log domain")] })),
      metrics(0, [1], { loss: [29.7] }),
    ]);
    const drawn = draw(log, { template: long, width: 399 });
    expect(drawn.ends[0]?.lines.join("|")).toBe("Vanilla, log domain 29.7");
    expect(drawn.plots[0]?.box.width).toBeGreaterThan(150);
  });

  it("shortens names, not values, and leaves the plot its place", () => {
    const long = template({ span: "hero", choices: [choice()] });
    const drawn = draw(run(1, -4.56e-12), { template: long, width: 300 });
    expect(drawn.ends[0]?.lines.join("|")).toBe("Vanilla −4.56×10⁻¹²");
    expect(drawn.plots[0]?.box.width).toBeGreaterThan(0.2 * 300);
    expect(shortened("Vanilla, clipped", 10)).toBe("Vanilla,…");
    expect(shortened("Vanilla", 7)).toBe("Vanilla");
  });
});

describe("names in little room", () => {
  it("are told apart by their ends where their beginnings are alike", () => {
    const names = ["Vanilla", "Newton's length", "Newton's direction"];
    const room = textWidth("…direction", 12);
    expect(fitting(names, 12, room)).toEqual(["Vanilla", "…length", "…direction"]);
    expect(fitting(names, 12, 400)).toEqual(names);
    expect(fitting(["Vanilla, clipped", "Fisher"], 12, 70)).toEqual(["Vanilla,…", "Fisher"]);
  });
});
