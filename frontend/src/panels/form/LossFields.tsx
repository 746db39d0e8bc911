/** A loss and the parameters of it that matter most: from the catalog, so that new ones appear. */

import type { Signal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import type { Named } from "../../api/types";
import { catalog } from "../../state/draft";
import { optionLabel } from "../../state/labels";
import { type Field, fieldsOf } from "../../state/schema";
import { Control } from "../../ui/Control";
import { NumberField } from "./NumberField";

interface Props {
  kind: "permutation" | "none";
  title: string;
  name: Signal<string>;
  /** How soft it is: a temperature, its inverse, or a regularization strength. */
  temperature?: Signal<number>;
  /** How it is computed. */
  numerics?: Signal<string>;
  /** Which network sorts, where one does. */
  network?: Signal<string>;
}

const NUMERICS = ["log_domain", "bce_loss"];
const NETWORKS = ["odd_even", "bitonic"];

export function LossFields({ kind, title, name, temperature, numerics, network }: Props) {
  const losses = offered(kind);
  const entry = losses.find((loss) => loss.name === name.value);
  const fields = fieldsOfLoss(name.value);
  const softness = fields.find(isSoftness);
  const first = losses[0]?.name;
  // A link may name a loss that there is not.
  useEffect(() => {
    if (entry === undefined && first !== undefined) name.value = first;
  }, [entry, first, name]);
  return (
    <>
      <Control name={kind === "none" ? "function" : "loss"}>
        <Pick field="loss" title={title} options={losses.map((loss) => loss.name)} value={name} />
        {entry !== undefined && <p class="hint">{entry.description.split("\n")[0]}</p>}
      </Control>
      {numerics !== undefined && fields.some(({ key }) => key === "numerics") && (
        <Control name="numerics">
          <Pick field="numerics" title="Numerics" options={NUMERICS} value={numerics} />
        </Control>
      )}
      {network !== undefined && fields.some(({ key }) => key === "network") && (
        <Control name="network">
          <Pick field="network" title="Sorting network" options={NETWORKS} value={network} />
        </Control>
      )}
      {temperature !== undefined && softness !== undefined && (
        <Control name="temperature">
          <NumberField
            label={softness.title}
            value={temperature}
            low={1e-3}
            high={1e3}
            powers={[-2, 2]}
          />
        </Control>
      )}
    </>
  );
}

interface PickProps {
  /** Name of the parameter, which its options are called by. */
  field: string;
  title: string;
  options: readonly string[];
  value: Signal<string>;
}

function Pick({ field, title, options, value }: PickProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{title}</label>
      <select
        id={id}
        value={value.value}
        onChange={(event) => {
          value.value = event.currentTarget.value;
        }}
      >
        {options.map((one) => (
          <option key={one} value={one}>
            {optionLabel(field, one)}
          </option>
        ))}
      </select>
    </div>
  );
}

/** The parameters of a loss, as the schema of a spec has them. */
function fieldsOfLoss(name: string): Field[] {
  const schema = catalog.value?.schema;
  if (schema === undefined) return [];
  const union = fieldsOf(schema, schema).find(({ key }) => key === "loss");
  if (union?.kind !== "variant") return [];
  const own = union.variants.find((variant) => variant.name === name);
  return own === undefined ? [] : fieldsOf(schema, own.schema);
}

/** Softness is what is set in powers of ten. */
function isSoftness(field: Field): boolean {
  return field.kind === "number" && field.scale === "log";
}

/** Whether there is such a loss: a link may name another, and until the catalog says so, nobody knows. */
export function isOffered(kind: Props["kind"], name: string): boolean {
  return offered(kind).some((loss) => loss.name === name);
}

function offered(kind: Props["kind"]) {
  return catalog.value?.losses.filter((loss) => loss.target_kind === kind) ?? [];
}

/** The loss as the server takes it: what it has no parameter for is left out. */
export function sortingLoss(
  name: string,
  temperature: number,
  numerics: string,
  network?: string,
): Named {
  const loss: Named = { name };
  for (const field of fieldsOfLoss(name)) {
    if (field.key === "numerics") loss[field.key] = numerics;
    else if (field.key === "network" && network !== undefined) loss[field.key] = network;
    else if (isSoftness(field)) loss[field.key] = temperature;
  }
  return loss;
}
