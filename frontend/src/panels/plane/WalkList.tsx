/** The walks in words, each in its colour: what a screen reader hears of the picture. */

import type { WalkRecord } from "../../api/surfaces";
import type { Palette } from "../../charts/templates";
import { formatMeasured } from "../../format";
import { LineSample } from "./LineSample";

interface Props {
  walks: readonly WalkRecord[];
  palette: Palette;
  step: number;
  /** What is to be said of a walk at the step. */
  say(walk: WalkRecord, step: number): string;
}

export function WalkList({ walks, palette, step, say }: Props) {
  return (
    <ul class="walk-list">
      {walks.map((walk, index) => {
        const value = walk.values[step];
        return (
          <li key={walk.label}>
            <LineSample palette={palette} index={index} />
            <strong style={{ color: palette.arms[index % palette.arms.length]?.ink }}>
              {walk.label}
            </strong>
            <span>
              {value == null ? "no value" : formatMeasured(value, 4)}
              <small> {say(walk, step)}</small>
            </span>
          </li>
        );
      })}
    </ul>
  );
}
