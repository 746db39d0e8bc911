import { signal } from "@preact/signals";
import { beforeEach, describe, expect, it } from "vitest";
import { choice, template } from "../../../tests/figures";
import { evaluation, logOf, spec, started } from "../../../tests/logs";
import {
  chartChoices,
  chartSettings,
  cursor,
  ghost,
  overlays,
  run,
  showLog,
  systemTheme,
} from "../../state/signals";
import { chartModel, setAllScales, smoothing } from "./model";

const primary = signal<string | null>(null);
const LOSS = template({ choices: [choice(), choice({ metric: "own_loss", log: false })] });
const EVALUATED = template({
  source: "evaluation",
  choices: [choice({ metric: "exact_match" }), choice({ metric: "elementwise" })],
});

beforeEach(() => {
  chartChoices.value = {};
  showLog(logOf([started(spec({ steps: 5000 }))], "one"));
  ghost.value = null;
  overlays.value = [];
  primary.value = null;
  chartSettings.x.value = "step";
  chartSettings.yAxis.value = null;
  chartSettings.smoothing.value = 0;
});

describe("chartModel", () => {
  it("never draws a value that is known up to a constant on a log axis", () => {
    const loss = { ...spec().loss, name: "perturbed_fy" };
    showLog(logOf([started(spec({ loss }))], "fy"));
    const model = chartModel(LOSS, primary);
    chartSettings.yAxis.value = "log";
    expect([model.onlyLinear.value, model.log.value]).toEqual([true, false]);
    showLog(logOf([started(spec())], "one"));
    expect([model.onlyLinear.value, model.log.value]).toEqual([false, true]);
  });

  it("shows the first metric until another is chosen", () => {
    const model = chartModel(LOSS, primary);
    expect(model.choice.value.metric).toBe("loss");
    model.choose("own_loss");
    expect(model.view.value.choice.metric).toBe("own_loss");
  });

  it("starts with the task's primary metric, and offers what the log has", () => {
    primary.value = "elementwise";
    const model = chartModel(EVALUATED, primary);
    expect(model.choice.value.metric).toBe("elementwise");
    const values = {
      exact_match: 0.1,
      exact_match_se: 0.01,
      elementwise: 0.2,
      elementwise_se: 0.01,
    };
    showLog(logOf([started(), evaluation(0, 0, values)]));
    expect(model.choices.value.map(({ metric }) => metric)).toEqual(["elementwise", "exact_match"]);
  });

  it("has a scale that fits the metric, unless all charts or this one are told otherwise", () => {
    const model = chartModel(LOSS, primary);
    expect(model.log.value).toBe(true);
    model.toggleLog();
    expect(model.log.value).toBe(false);
    setAllScales("log");
    expect(model.log.value).toBe(true);
    model.toggleLog();
    expect(model.log.value).toBe(false);
    model.choose("own_loss");
    expect(model.log.value).toBe(true);
  });

  it("zooms x on all charts and y on its own", () => {
    const one = chartModel(LOSS, primary);
    const other = chartModel(EVALUATED, primary);
    one.zoom({ x: [10, 20], y: [0, 1] });
    expect(one.view.value.zoom).toEqual({ x: [10, 20], y: [0, 1] });
    expect(other.view.value.zoom).toEqual({ x: [10, 20], y: null });
    expect(other.zoomed.value).toBe(true);
    other.resetZoom();
    expect(one.view.value.zoom).toEqual({ x: null, y: [0, 1] });
  });

  it("forgets a zoom that no longer means anything", () => {
    const model = chartModel(LOSS, primary);
    model.zoom({ x: [10, 20], y: [0, 1] });
    model.choose("own_loss");
    expect(model.view.value.zoom).toEqual({ x: [10, 20], y: null });
    chartSettings.x.value = "seconds";
    expect(model.zoomed.value).toBe(false);
    chartSettings.x.value = "step";
    showLog(logOf([started()], "two"));
    expect(model.zoomed.value).toBe(false);
    model.resetZoom();
  });

  it("lays ghost and other runs over the page's own, which it never doubles", () => {
    const mine = run.value;
    ghost.value = logOf([started()], "before");
    overlays.value = [logOf([started()], "abcdef123"), ...(mine === null ? [] : [mine])];
    const model = chartModel(LOSS, primary);
    expect(model.view.value.layers.map(({ kind, name }) => [kind, name])).toEqual([
      ["main", ""],
      ["ghost", "before"],
      ["overlay", "abcdef"],
    ]);
  });

  it("follows theme and cursor, in whole steps", () => {
    const model = chartModel(LOSS, primary);
    systemTheme.value = "dark";
    cursor.value = 41.7;
    expect(model.view.value.palette.panel).toBe("#000000");
    expect(model.view.value.cursor).toBe(41);
    systemTheme.value = "light";
  });
});

describe("smoothing", () => {
  it("fits the run unless it is chosen", () => {
    expect(smoothing.value).toBe(50);
    chartSettings.smoothing.value = 3;
    expect(smoothing.value).toBe(3);
  });
});
