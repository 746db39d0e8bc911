/** A loss and the parameters of it that matter most: from the catalog, so that new ones appear. */

import type { Signal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import type { Named } from "../../api/types";
import { catalog } from "../../state/draft";
import { optionLabel } from "../../state/labels";
import { Control } from "../../ui/Control";
import { NumberField } from "./NumberField";

interface Props {
  kind: "permutation" | "none";
  title: string;
  name: Signal<string>;
  /** Temperature, or its inverse for sorting networks. */
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
  const parameter = temperatureOf(name.value);
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
      {numerics !== undefined && (
        <Control name="numerics">
          <Pick field="numerics" title="Numerics" options={NUMERICS} value={numerics} />
        </Control>
      )}
      {network !== undefined && parameter === "inverse_temperature" && (
        <Control name="network">
          <Pick field="network" title="Sorting network" options={NETWORKS} value={network} />
        </Control>
      )}
      {temperature !== undefined && (
        <Control name="temperature">
          <NumberField
            label={parameter === "temperature" ? "Temperature τ" : "Inverse temperature β"}
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

function temperatureOf(name: string): "temperature" | "inverse_temperature" {
  return name.endsWith("sort") ? "temperature" : "inverse_temperature";
}

/** Whether there is such a loss: a link may name another, and until the catalog says so, nobody knows. */
export function isOffered(kind: Props["kind"], name: string): boolean {
  return offered(kind).some((loss) => loss.name === name);
}

function offered(kind: Props["kind"]) {
  return catalog.value?.losses.filter((loss) => loss.target_kind === kind) ?? [];
}

/** The loss as the server takes it. */
export function sortingLoss(
  name: string,
  temperature: number,
  numerics: string,
  network?: string,
): Named {
  const parameter = temperatureOf(name);
  const sorted = parameter === "inverse_temperature" && network !== undefined ? { network } : {};
  return { name, [parameter]: temperature, numerics, ...sorted };
}
