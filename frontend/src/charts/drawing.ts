/** A figure of a panel's own, with what its file and the table behind it are made of. */

import type { Figure } from "./plotly";
import type { Palette } from "./templates";

export interface Drawing extends Figure {
  palette: Palette;
  scale: number;
  /** The numbers behind it, for those who read rather than look. */
  tables(): Numbers[];
}

/** Numbers with a name over each column and before each row. */
export interface Numbers {
  caption: string;
  /** What the names of the rows are. */
  corner: string;
  columns: string[];
  rows: { name: string; cells: string[] }[];
}

/** At most `limit` of `count` indices, evenly spread, the first and the last among them. */
export function spread(count: number, limit: number): number[] {
  if (count <= limit) return Array.from({ length: count }, (_, index) => index);
  return Array.from({ length: limit }, (_, k) => Math.round((k * (count - 1)) / (limit - 1)));
}
