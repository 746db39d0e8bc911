/** The descents in words, each in its colour: what a screen reader hears of the picture. */

import type { Descent } from "../../api/descents";
import type { Palette } from "../../charts/templates";
import { formatMeasured } from "../../format";
import type { Method } from "../../state/arms";
import { descentLook } from "./descents";
import { LineSample } from "./LineSample";

interface Props<D extends Descent> {
  descents: readonly D[];
  /** Whose look each has. */
  methods: readonly Method[];
  palette: Palette;
  step: number;
  /** What the methods descend. */
  quantity: string;
  /** What is to be said of a descent at the step. */
  say(descent: D, step: number): string;
}

export function DescentList<D extends Descent>({
  descents,
  methods,
  palette,
  step,
  quantity,
  say,
}: Props<D>) {
  return (
    <ul class="descent-list">
      {descents.map((descent, index) => {
        const value = descent.values[step];
        const method = methods[index] ?? "vanilla";
        return (
          <li key={descent.label}>
            <LineSample palette={palette} method={method} />
            <strong style={{ color: descentLook(palette, method).ink }}>{descent.label}</strong>
            <span>
              {value == null ? `no ${quantity}` : `${quantity} = ${formatMeasured(value, 4)}`}
            </span>{" "}
            <small>{say(descent, step)}</small>
          </li>
        );
      })}
    </ul>
  );
}
