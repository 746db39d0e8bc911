/** A number: typed, or dragged on a slider of round values. */

import { useId, useLayoutEffect, useState } from "preact/hooks";
import { formatSetting, numberIn } from "../../format";
import type { NumberField } from "../../state/schema";
import { problemWith, sliderIndex, sliderValues } from "../../state/slider";
import { Described, FieldErrors } from "./Described";
import { useUnusable } from "./unusable";

interface Props {
  field: NumberField;
  value: number | null;
  /** While the slider is dragged. */
  onInput?(value: number): void;
  /** The slider was let go, or a number was typed. */
  onCommit(value: number | null): void;
  /** What the server says is wrong. */
  problems?: readonly string[];
  disabled?: boolean;
}

export function NumberControl({ field, value, onInput, onCommit, problems = [], disabled }: Props) {
  const id = useId();
  const [text, setText] = useState<string | null>(null);
  const shown = value === null ? "" : formatSetting(value);
  // A value from elsewhere (a preset, a slider) replaces what was typed before it, at once: not
  // what is typed after it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the value matters
  useLayoutEffect(() => setText(null), [value]);

  const values = field.nullable ? [] : sliderValues(field);
  const index = value === null ? 0 : sliderIndex(field, values, value);
  const problem = text === null ? null : problemWith(field, text);
  const errors = problem === null ? problems : [problem];

  useUnusable(id, problem === null ? null : `${field.title} ${problem}`);

  const commitText = (typed: string) => {
    if (problemWith(field, typed) !== null) return;
    setText(null);
    const next = numberIn(typed);
    if (next !== value) onCommit(next);
  };
  const at = (event: Event) => values[Number((event.target as HTMLInputElement).value)] as number;

  return (
    <Described id={id} description={field.description}>
      <div class="field-head">
        <label for={id}>
          {field.title}
          {field.unit !== "" && <small>{field.unit}</small>}
        </label>
        <input
          id={id}
          type="text"
          inputMode="decimal"
          autocomplete="off"
          class="number"
          value={text ?? shown}
          placeholder={field.nullable ? "auto" : ""}
          disabled={disabled}
          aria-describedby={`${id}-tip ${id}-error`}
          aria-invalid={errors.length > 0}
          onInput={(event) => setText(event.currentTarget.value)}
          onChange={(event) => commitText(event.currentTarget.value)}
        />
      </div>
      {values.length > 1 && (
        <input
          type="range"
          aria-label={`${field.title}, slider`}
          aria-valuetext={shown}
          min={0}
          max={values.length - 1}
          step={1}
          value={index}
          disabled={disabled}
          style={{ "--filled": `${(100 * index) / (values.length - 1)}%` }}
          onInput={(event) => onInput?.(at(event))}
          onChange={(event) => onCommit(at(event))}
        />
      )}
      <FieldErrors id={id} messages={errors} />
    </Described>
  );
}
