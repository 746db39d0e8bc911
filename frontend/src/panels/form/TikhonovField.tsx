/** The damping of a page's Newton steps, on a slider of nine decades. */

import type { Signal } from "@preact/signals";
import { Control } from "../../ui/Control";
import { NumberField } from "./NumberField";

export function TikhonovField({ value }: { value: Signal<number> }) {
  return (
    <Control name="tikhonov">
      <NumberField label="Tikhonov λ" value={value} low={1e-9} high={1e9} powers={[-6, 3]} />
    </Control>
  );
}
