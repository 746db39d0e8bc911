/** A number to type; what is no number is said and not used. */

import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { formatSetting, numberIn } from "../../format";

interface Props {
  label: string;
  /** Read and written. */
  value: { value: number };
  low: number;
  high: number;
  whole?: boolean;
  /** The powers of ten that a slider under it reaches; left out: none. */
  powers?: readonly [number, number];
}

export function NumberField({ label, value, low, high, whole = false, powers }: Props) {
  const typed = useSignal<string | null>(null);
  const id = useId();
  const read = (text: string): number | null => {
    const number = numberIn(text);
    const fits = number !== null && number >= low && number <= high;
    return fits && (!whole || Number.isInteger(number)) ? number : null;
  };
  const bad = typed.value !== null && read(typed.value) === null;
  return (
    <div class="field">
      <div class="field-head">
        <label for={id}>{label}</label>
        <input
          id={id}
          class="number"
          type="text"
          inputMode="decimal"
          value={typed.value ?? formatSetting(value.value, whole ? undefined : 4)}
          aria-invalid={bad}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
            const number = read(typed.value);
            if (number !== null) value.value = number;
          }}
          onBlur={() => {
            typed.value = null;
          }}
        />
      </div>
      {powers !== undefined && (
        <input
          type="range"
          aria-label={`${label}, slider`}
          min={powers[0]}
          max={powers[1]}
          step="0.1"
          value={Math.log10(value.value)}
          onInput={(event) => {
            value.value = Number((10 ** event.currentTarget.valueAsNumber).toPrecision(2));
          }}
        />
      )}
      {bad && (
        <p class="field-error" role="alert">
          {whole ? "a whole number" : "a number"} from {low} to {high}
        </p>
      )}
    </div>
  );
}
