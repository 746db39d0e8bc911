/** A claim of the lesson with what was measured. */

import { formatMeasured } from "../../format";
import { Prose } from "./Prose";
import "./ask.css";

export function Claim({ say, values }: { say: string; values: readonly (number | null)[] }) {
  const numbers = values.map((value) => (value === null ? "not finite" : formatMeasured(value)));
  return (
    <p class="claim">
      <b>Measured</b> <Prose inline html={say} />
      {numbers.length > 0 && <small> {numbers.join(", ")}</small>}
    </p>
  );
}
