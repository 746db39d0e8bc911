/** A descent's line as the pictures draw it, beside its name. */

import type { Palette } from "../../charts/templates";
import { type Method, strokeDash } from "../../state/arms";
import { descentLook } from "./descents";

export function LineSample({ palette, method }: { palette: Palette; method: Method }) {
  const { colour, dash } = descentLook(palette, method);
  return (
    <svg width="26" height="8" aria-hidden="true">
      <line
        x1="0"
        x2="26"
        y1="4"
        y2="4"
        stroke={colour}
        stroke-width="3"
        stroke-dasharray={strokeDash(dash)}
      />
    </svg>
  );
}
