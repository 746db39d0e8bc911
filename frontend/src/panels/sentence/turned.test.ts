import { describe, expect, it } from "vitest";
import { arm, logOf, metrics, spec, started } from "../../../tests/logs";
import { at, say } from "../../../tests/sentences";
import { plainText } from "./parts";
import { sentence } from "./sentence";

describe("what curvature does", () => {
  const steps = (turn: number, length: number) =>
    metrics(1, [1, 2, 3], {
      turn: [turn, 180, turn],
      output_gradient_norm: [2, 2, 2],
      direction_norm: [2 * length, 2 * length, 2 * length],
    });

  it("is said of the best arm that takes whole Newton steps", () => {
    const values: [number, number][] = [
      [0.9, 0.01],
      [0.5, 0.01],
      [0.2, 0.01],
    ];
    expect(say([steps(55, 0.05), ...at(25, values)], 25)).toContain(
      "Lately the curvature of Hessian typically shrinks a step to 1/20 of its length and turns it by 55°.",
    );
    expect(say([steps(3, 1), ...at(25, values)], 25)).toContain(
      "Lately the curvature of Hessian typically keeps a step's length and hardly turns it (by 3.0°).",
    );
    expect(say(at(25, values), 25)).not.toContain("curvature");
  });

  it("is not said of half a Newton step", () => {
    const half = spec({
      arms: [arm("Vanilla"), arm("H", { curvature: "hessian", component: "length" })],
    });
    const log = logOf([
      started(half),
      steps(55, 0.05),
      ...at(25, [
        [0.5, 0.01],
        [0.4, 0.01],
      ]),
    ]);
    expect(plainText(sentence(log, 25))).not.toContain("curvature");
  });
});
