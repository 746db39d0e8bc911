/** Scores to type: what is no list of numbers is said and not used, and nothing means none. */

import { type Signal, useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { formatSetting } from "../../format";
import { numbersIn } from "./scores";

interface Props {
  /** In use now. */
  scores: readonly number[];
  /** One's own as typed; empty: none. */
  typed: Signal<string>;
}

export function ScoresField({ scores, typed }: Props) {
  const writing = useSignal<string | null>(null);
  const id = useId();
  const shown = writing.value ?? scores.map((score) => formatSetting(score, 4)).join(", ");
  const isBad =
    writing.value !== null && writing.value.trim() !== "" && numbersIn(writing.value) === null;
  return (
    <div class="field">
      <label for={id}>Scores, in their true order</label>
      <input
        id={id}
        type="text"
        value={shown}
        aria-invalid={isBad}
        onInput={(event) => {
          const text = event.currentTarget.value;
          writing.value = text;
          if (text.trim() === "" || numbersIn(text) !== null) typed.value = text.trim();
        }}
        onBlur={() => {
          writing.value = null;
        }}
      />
      {isBad && (
        <p class="field-error" role="alert">
          at least two numbers, with commas between them, such as -2, -1, 0.5
        </p>
      )}
    </div>
  );
}
