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
