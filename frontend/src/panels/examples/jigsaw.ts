/** Puzzles that arms put together: where tiles stand, and what is said about them. Pure. */

import type { Example } from "../../api/types";
import { isJigsawItem, type JigsawItem } from "./items";

export function puzzlesOf(items: readonly Example[]): JigsawItem[] {
  return items.filter(isJigsawItem);
}

export interface Tile {
  /** Column and row where it belongs, which is the part of the picture that it shows. */
  home: readonly [number, number];
  /** Column and row where it is put. */
  at: readonly [number, number];
  right: boolean;
}

/** The tiles of a puzzle, each always at its own index, so that it can move; none if it is lost. */
export function tilesOf({ across, placed, right }: JigsawItem): Tile[] {
  const spot = (place: number) => [place % across, Math.floor(place / across)] as const;
  return (placed ?? []).map((place, tile) => ({
    home: spot(tile),
    at: spot(place),
    right: right[place] ?? false,
  }));
}

/** How many tiles of a puzzle are in their place. */
function inPlace(item: JigsawItem): number {
  return item.right.filter(Boolean).length;
}

/** How the arm does on the shown puzzles, in few words. */
export function tallyPuzzles(items: readonly JigsawItem[]): string {
  const tiles = items.reduce((sum, item) => sum + inPlace(item), 0);
  const all = items.reduce((sum, item) => sum + item.right.length, 0);
  const solved = items.filter((item) => inPlace(item) === item.right.length).length;
  return `${tiles} of ${all} tiles in place, ${solved} of ${items.length} solved`;
}

/** What a picture shows, for those who do not see it. */
export function describePuzzle(item: JigsawItem, label: string): string {
  const who = `${label}, puzzle ${item.puzzle + 1}`;
  if (item.placed === null) return `${who}: not finite`;
  return `${who}: ${inPlace(item)} of ${item.right.length} tiles in place`;
}
