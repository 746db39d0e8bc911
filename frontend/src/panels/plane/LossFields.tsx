/** A loss and the parameters of it that matter most: from the catalog, so that new ones appear. */

import type { Signal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import type { Named } from "../../api/types";
import { catalog } from "../../state/draft";
import { optionLabel } from "../../state/labels";
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

export function LossFields({ kind, title, name, temperature, numerics, network }: Props) {
  const id = useId();
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
      <div class="field">
        <label for={id}>{title}</label>
        <select
          id={id}
          value={name.value}
          onChange={(event) => {
            name.value = event.currentTarget.value;
          }}
        >
          {losses.map((loss) => (
            <option key={loss.name} value={loss.name}>
              {optionLabel("loss", loss.name)}
            </option>
          ))}
        </select>
      </div>
      {entry !== undefined && <p class="hint">{entry.description.split("\n")[0]}</p>}
      {numerics !== undefined && (
        <div class="field">
          <label for={`${id}-numerics`}>Numerics</label>
          <select
            id={`${id}-numerics`}
            value={numerics.value}
            onChange={(event) => {
              numerics.value = event.currentTarget.value;
            }}
          >
            {["log_domain", "bce_loss"].map((one) => (
              <option key={one} value={one}>
                {optionLabel("numerics", one)}
              </option>
            ))}
          </select>
        </div>
      )}
      {network !== undefined && parameter === "inverse_temperature" && (
        <div class="field">
          <label for={`${id}-network`}>Sorting network</label>
          <select
            id={`${id}-network`}
            value={network.value}
            onChange={(event) => {
              network.value = event.currentTarget.value;
            }}
          >
            {["odd_even", "bitonic"].map((one) => (
              <option key={one} value={one}>
                {optionLabel("network", one)}
              </option>
            ))}
          </select>
        </div>
      )}
      {temperature !== undefined && (
        <NumberField
          label={parameter === "temperature" ? "Temperature τ" : "Inverse temperature β"}
          value={temperature}
          low={1e-3}
          high={1e3}
        />
      )}
    </>
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
