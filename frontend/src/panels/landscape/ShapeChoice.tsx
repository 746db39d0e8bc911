/** Contours or a surface, one switch wherever a landscape is drawn. */

import type { Signal } from "@preact/signals";
import { canTrain } from "../../state/signals";
import { Choice } from "../../ui/Choice";

export function ShapeChoice({ surface }: { surface: Signal<boolean> }) {
  if (!canTrain.value) return null; // a report's charts have no depth: it would be as large again
  return (
    <Choice
      label="shape"
      value={surface.value ? "surface" : "contour"}
      options={[
        ["contour", "contours"],
        ["surface", "3-D surface"],
      ]}
      onChange={(value) => {
        surface.value = value === "surface";
      }}
    />
  );
}
