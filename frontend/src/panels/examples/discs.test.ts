import { describe, expect, it } from "vitest";
import { describeDiscs, tallyDiscs } from "./discs";
import type { DiscsItem } from "./items";

function seen(over: Partial<DiscsItem> = {}): DiscsItem {
  return {
    item: 0,
    seen: null,
    wanted: [[0, 0, 0.3]],
    drawn: [[0.1, 0, 0.3]],
    error: 0.1,
    found: false,
    ...over,
  };
}

describe("words about discs", () => {
  it("count the pictures whose discs are found", () => {
    expect(tallyDiscs([seen({ found: true }), seen()])).toBe("1 of 2 found");
  });

  it("say how far the discs are", () => {
    expect(describeDiscs(seen(), "Vanilla")).toBe(
      "Vanilla, picture 1: 0.1 away from the true discs",
    );
  });

  it("say which have vanished, and what is not finite", () => {
    const lost = seen({ drawn: [[0.1, 0, -0.3]] });
    expect(describeDiscs(lost, "A")).toBe(
      "A, picture 1: 0.1 away from the true discs, one disc vanished",
    );
    expect(describeDiscs(seen({ drawn: null, error: null }), "A")).toBe("A, picture 1: not finite");
  });
});
