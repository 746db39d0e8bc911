import { describe, expect, it } from "vitest";
import { choice, template } from "../../tests/figures";
import { fileName } from "./image";
import { symbolPath } from "./ink";
import { zoomOf } from "./plotter";
import { choicesFor, prototype, withAlpha } from "./templates";

const METRICS = ["exact_match", "elementwise", "optimal"].map((metric) => choice({ metric }));
const EVALUATED = template({ source: "evaluation", choices: METRICS });

describe("choicesFor", () => {
  const names = (evaluated: string[], primary: string | null) =>
    choicesFor(EVALUATED, evaluated, primary).map(({ metric }) => metric);

  it("offers the metrics that the log has, primary first", () => {
    expect(names(["elementwise", "exact_match"], "exact_match")).toEqual([
      "exact_match",
      "elementwise",
    ]);
    expect(names(["exact_match", "optimal"], "optimal")).toEqual(["optimal", "exact_match"]);
  });

  it("says a metric in the words of the run's task", () => {
    const own = choice({ metric: "optimal", title: "Optimal nets", task: "nets" });
    const both = template({ source: "evaluation", choices: [...METRICS, own] });
    const title = (task: string) => choicesFor(both, ["optimal"], "optimal", task)[0]?.title;
    expect(title("nets")).toBe("Optimal nets");
    expect(title("paths")).toBe("Loss");
  });

  it("has plain words for a metric that no template knows", () => {
    const [own] = choicesFor(EVALUATED, ["top_five"], "top_five");
    expect(own?.title).toBe("Top five");
    expect(own?.hover).toBe("%{y:.3r}");
  });

  it("shows the primary one before the first evaluation, and something in any case", () => {
    expect(names([], "optimal")).toEqual(["optimal"]);
    expect(names([], null)).toEqual(["exact_match"]);
  });

  it("offers all of a chart that does not show evaluations", () => {
    expect(choicesFor(template({ choices: METRICS }), ["loss"], "loss").length).toBe(3);
  });
});

describe("small helpers", () => {
  it("finds prototypes", () => {
    expect(prototype(EVALUATED, "band")?.meta).toMatchObject({ arm: "*", role: "band" });
    expect(prototype(EVALUATED, "heat")).toBeUndefined();
  });

  it("thins colours", () => {
    expect(withAlpha("#0072b2", 0.14)).toBe("rgba(0,114,178,0.14)");
  });

  it("names pictures by what they show", () => {
    expect(fileName("C + λI, log", 7440, "a1b2c3d4e5")).toBe(
      "newton-lab-c-lambdai-log-step-7440-a1b2c3d4",
    );
    expect(fileName("Loss", 0, "")).toBe("newton-lab-loss-step-0");
  });

  it("reads what a drag changed", () => {
    expect(zoomOf({ "xaxis2.range[0]": 1, "xaxis2.range[1]": 2 })).toEqual({ x: [1, 2] });
    expect(
      zoomOf({
        "xaxis.range[0]": 1,
        "xaxis.range[1]": 2,
        "yaxis.range[0]": -1,
        "yaxis.range[1]": 0,
      }),
    ).toEqual({ x: [1, 2], y: [-1, 0] });
    expect(zoomOf({ "xaxis.autorange": true })).toBeNull();
  });

  it("draws every marker as a closed outline", () => {
    for (const symbol of ["circle", "square", "diamond", "triangle-up", "triangle-down", "cross"]) {
      expect(symbolPath(symbol, 10, 10, 3)).toMatch(/^M.*Z$/);
    }
  });
});
