/** What a view of examples is given. */

import type { ArmStyle } from "../../state/arms";

/** All arms' examples at the playback step, images included. */
export interface SharedProps {
  all: readonly (readonly Record<string, unknown>[])[];
  /** Which part of them to show. */
  group: number;
  labels: string[];
}

/** One arm among them. */
export interface ExamplesProps extends SharedProps {
  arm: number;
  items: readonly Record<string, unknown>[];
  label: string;
  look: ArmStyle;
}
