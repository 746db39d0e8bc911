/** One field of the draft with the control that fits its kind. */

import { useId, useState } from "preact/hooks";
import type { Catalog, Named } from "../../api/types";
import { catalog, draft, edit, problemsAt } from "../../state/draft";
import { fittingLosses, switchVariant } from "../../state/edit";
import { optionLabel } from "../../state/labels";
import {
  type ChoiceField,
  type Field,
  fieldsOf,
  getPath,
  type PlainField,
  type VariantField,
} from "../../state/schema";
import { Described, FieldErrors } from "./Described";
import { NumberControl } from "./NumberControl";
import { useUnusable } from "./unusable";

export function FieldView({ field }: { field: Field }) {
  const value = getPath(draft.value, field.path);
  switch (field.kind) {
    case "number":
      return (
        <NumberControl
          field={field}
          value={typeof value === "number" ? value : null}
          problems={problemsAt(field.path)}
          onInput={(next) => edit(field.path, next)}
          onCommit={(next) => edit(field.path, next)}
        />
      );
    case "choice":
      return <ChoiceControl field={field} value={String(value)} />;
    case "variant":
      return (
        <>
          <VariantSelect field={field} />
          {variantFields(field).map((inner) => (
            <FieldView key={inner.path.join(".")} field={inner} />
          ))}
        </>
      );
    default:
      return <PlainControl field={field} value={value} />;
  }
}

interface Option {
  value: string;
  label: string;
}

interface SelectProps {
  field: Field;
  options: readonly Option[];
  value: string;
  description?: string;
  onChange(value: string): void;
}

function Select({ field, options, value, description, onChange }: SelectProps) {
  const id = useId();
  return (
    <Described id={id} description={description ?? field.description}>
      <label for={id}>
        {field.title}
        {field.unit !== "" && <small>{field.unit}</small>}
      </label>
      <select
        id={id}
        value={value}
        aria-describedby={`${id}-tip ${id}-error`}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <FieldErrors id={id} messages={problemsAt(field.path)} />
    </Described>
  );
}

function ChoiceControl({ field, value }: { field: ChoiceField; value: string }) {
  const options = field.options.map((option) => ({
    value: option,
    label: optionLabel(field.key, option),
  }));
  return (
    <Select
      field={field}
      options={options}
      value={value}
      onChange={(next) => edit(field.path, next)}
    />
  );
}

const NONE = "";

/** The choice among a union's records; nothing where there is only one. */
export function VariantSelect({ field }: { field: VariantField }) {
  const known = catalog.value;
  const value = getPath(draft.value, field.path) as Named | null | undefined;
  if (known === null || (field.variants.length < 2 && !field.nullable)) return null;

  const fitting = field.key === "loss" ? fittingLosses(known, draft.value?.task.name ?? "") : null;
  const options = field.variants
    .filter((variant) => fitting === null || fitting.includes(variant.name))
    .map((variant) => ({ value: variant.name, label: optionLabel(field.key, variant.name) }));
  if (field.nullable) options.unshift({ value: NONE, label: "The run's" });
  return (
    <Select
      field={field}
      options={options}
      value={value?.name ?? NONE}
      description={[field.description, describe(known, field, value?.name)].join(" ").trim()}
      onChange={(name) =>
        edit(
          field.path,
          name === NONE ? null : switchVariant(known.schema, field, name, value ?? null),
        )
      }
    />
  );
}

/** What the chosen record is, in a sentence: tasks and losses say it in the catalog. */
function describe(known: Catalog, field: VariantField, name: string | undefined): string {
  const entries = { task: known.tasks, loss: known.losses }[field.key];
  const source = entries ?? field.variants;
  return source.find((candidate) => candidate.name === name)?.description ?? "";
}

/** The fields of the record that a union's field now holds. */
export function variantFields(field: VariantField): Field[] {
  const known = catalog.value;
  const value = getPath(draft.value, field.path) as Named | null | undefined;
  const variant = field.variants.find((candidate) => candidate.name === value?.name);
  if (known === null || variant === undefined) return [];
  return fieldsOf(known.schema, variant.schema, field.path);
}

function PlainControl({ field, value }: { field: PlainField; value: unknown }) {
  const id = useId();
  const [problem, setProblem] = useState<string | null>(null);
  useUnusable(id, problem === null ? null : `${field.title} ${problem}`);
  if (field.kind === "boolean") {
    return (
      <Described id={id} description={field.description}>
        <label class="check">
          <input
            id={id}
            type="checkbox"
            checked={value === true}
            aria-describedby={`${id}-tip ${id}-error`}
            onChange={(event) => edit(field.path, event.currentTarget.checked)}
          />
          {field.title}
        </label>
        <FieldErrors id={id} messages={problemsAt(field.path)} />
      </Described>
    );
  }
  const shown = Array.isArray(value) ? value.join(", ") : typeof value === "string" ? value : "";
  const commit = (text: string) => {
    const parsed = field.kind === "numbers" ? parseNumbers(text) : text;
    setProblem(parsed === null ? "needs whole numbers, separated by commas" : null);
    if (parsed !== null) edit(field.path, parsed === "" && field.nullable ? null : parsed);
  };
  return (
    <Described id={id} description={field.description}>
      <label for={id}>
        {field.title}
        {field.unit !== "" && <small>{field.unit}</small>}
      </label>
      <input
        id={id}
        type="text"
        autocomplete="off"
        value={shown}
        maxLength={field.kind === "text" && field.maxLength !== null ? field.maxLength : undefined}
        placeholder={field.kind === "numbers" ? "none" : ""}
        aria-describedby={`${id}-tip ${id}-error`}
        aria-invalid={problem !== null}
        onChange={(event) => commit(event.currentTarget.value)}
      />
      <FieldErrors id={id} messages={problem === null ? problemsAt(field.path) : [problem]} />
    </Described>
  );
}

function parseNumbers(text: string): number[] | null {
  const parts = text.split(/[\s,;]+/).filter((part) => part !== "");
  const numbers = parts.map(Number);
  return numbers.every(Number.isInteger) ? numbers : null;
}
