import { describe, expect, it } from "vitest";
import type { JigsawItem } from "./items";
import { describePuzzle, tallyPuzzles, tilesOf } from "./jigsaw";

function puzzle(over: Partial<JigsawItem> = {}): JigsawItem {
  return {
    puzzle: 0,
    image: null,
    across: 2,
    placed: [0, 3, 2, 1],
    right: [true, false, true, false],
    ...over,
  };
}

describe("puzzles", () => {
  it("know where each tile belongs and where it is put", () => {
    const tiles = tilesOf(puzzle());
    expect(tiles[1]).toEqual({ home: [1, 0], at: [1, 1], right: false });
    expect(tiles[2]).toEqual({ home: [0, 1], at: [0, 1], right: true });
    expect(tilesOf(puzzle({ placed: null }))).toEqual([]);
  });

  it("are counted, tiles and whole ones", () => {
    const solved = puzzle({ placed: [0, 1, 2, 3], right: [true, true, true, true] });
    expect(tallyPuzzles([puzzle(), solved])).toBe("6 of 8 tiles in place, 1 of 2 solved");
  });

  it("are put in words", () => {
    expect(describePuzzle(puzzle(), "Vanilla")).toBe("Vanilla, puzzle 1: 2 of 4 tiles in place");
    expect(describePuzzle(puzzle({ placed: null }), "A")).toBe("A, puzzle 1: not finite");
  });
});
