/** What a view of examples is given. */

import type { Example } from "../../api/types";
import type { ArmStyle } from "../../state/arms";

/** All arms' examples at the playback step, images included. */
export interface SharedProps {
  all: readonly (readonly Example[])[];
  /** Which part of them to show. */
  group: number;
  labels: string[];
}

/** One arm among them. */
export interface ExamplesProps extends SharedProps {
  arm: number;
  items: readonly Example[];
  label: string;
  look: ArmStyle;
}
