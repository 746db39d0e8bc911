/** What a new sweep is to be: a spec, its axes, its seeds. */

import { useComputed, useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import type { SweptAxis } from "../../api/sweeps";
import type { Spec } from "../../api/types";
import { formatCount, formatSetting } from "../../format";
import { catalog, draft, presetSpec } from "../../state/draft";
import { NumberField } from "../form/NumberField";
import { pathsOf, valuesIn } from "./grid";
import { problem, start, waiting } from "./sweep";

interface Typed {
  path: string;
  values: string;
}

const OWN = "";
const MOST_AXES = 4;

export function SweepForm() {
  const id = useId();
  const chosen = useSignal<string | null>(null);
  // The settings on the other page are offered once there are some.
  const source = useComputed(
    () => chosen.value ?? (draft.value === null ? (catalog.value?.presets[0]?.name ?? OWN) : OWN),
  );
  const typed = useSignal<readonly Typed[] | null>(null);
  const seeds = useSignal(3);
  const reportSeeds = useSignal(10);
  const spec = useComputed<Spec | null>(() => {
    const known = catalog.value;
    const preset = known?.presets.find(({ name }) => name === source.value);
    return known !== null && preset !== undefined ? presetSpec(known, preset) : draft.value;
  });
  const axes = useComputed(() => typed.value ?? firstAxes(spec.value));
  const grid = useComputed(() => axes.value.map(axisOf));
  const ready = grid.value.every((axis) => axis !== null);
  const count = grid.value.reduce((product, axis) => product * (axis?.values.length ?? 0), 1);
  const edit = (place: number, change: Partial<Typed>) => {
    typed.value = axes.value.map((axis, i) => (i === place ? { ...axis, ...change } : axis));
  };
  const submit = (event: Event) => {
    event.preventDefault();
    const wanted = grid.value.filter((axis) => axis !== null);
    const { value } = spec;
    if (!ready || value === null) return;
    const what = source.value === OWN ? { spec: value } : { preset: source.value };
    void start({ ...what, grid: wanted, seeds: seeds.value, report_seeds: reportSeeds.value });
  };
  return (
    <form class="panel" aria-labelledby={`${id}-title`} onSubmit={submit}>
      <h2 id={`${id}-title`}>New sweep</h2>
      <div class="field">
        <label for={`${id}-source`}>Of</label>
        <select
          id={`${id}-source`}
          value={source.value}
          onChange={(event) => {
            chosen.value = event.currentTarget.value;
            typed.value = null;
          }}
        >
          {draft.value !== null && <option value={OWN}>the settings on the Compare page</option>}
          {catalog.value?.presets.map((preset) => (
            <option key={preset.name} value={preset.name}>
              {preset.title}
            </option>
          ))}
        </select>
      </div>
      <datalist id={`${id}-paths`}>
        {pathsOf(spec.value).map((path) => (
          <option key={path} value={path} />
        ))}
      </datalist>
      {axes.value.map((axis, place) => (
        <fieldset class="group" key={place}>
          <legend>Axis {place + 1}</legend>
          <div class="field">
            <label for={`${id}-path-${place}`}>Setting</label>
            <input
              id={`${id}-path-${place}`}
              type="text"
              list={`${id}-paths`}
              value={axis.path}
              onInput={(event) => edit(place, { path: event.currentTarget.value })}
            />
          </div>
          <div class="field">
            <label for={`${id}-values-${place}`}>Values</label>
            <input
              id={`${id}-values-${place}`}
              type="text"
              value={axis.values}
              aria-invalid={grid.value[place] === null}
              onInput={(event) => edit(place, { values: event.currentTarget.value })}
            />
          </div>
          {grid.value[place] === null && (
            <p class="field-error" role="alert">
              a setting and its values, with commas between: 0.01, 0.1, 1
            </p>
          )}
        </fieldset>
      ))}
      <p class="sweep-axes">
        <button
          type="button"
          disabled={axes.value.length >= MOST_AXES}
          onClick={() => {
            typed.value = [...axes.value, { path: "", values: "" }];
          }}
        >
          Add an axis
        </button>
        <button
          type="button"
          disabled={axes.value.length <= 1}
          onClick={() => {
            typed.value = axes.value.slice(0, -1);
          }}
        >
          Remove the last
        </button>
      </p>
      <NumberField label="Tuning seeds" value={seeds} low={1} high={50} whole />
      <NumberField label="Report seeds" value={reportSeeds} low={0} high={50} whole />
      <p class="hint">
        {formatCount(count)} {count === 1 ? "combination" : "combinations"} on{" "}
        {seeds.value === 1 ? "one seed" : `${seeds.value} seeds`}; arms that no axis touches are
        trained once.
      </p>
      {problem.value !== null && (
        <p class="field-error" role="alert">
          {problem.value}
        </p>
      )}
      <button type="submit" class="go" disabled={!ready || waiting.value || spec.value === null}>
        {waiting.value ? "Starting…" : "Start the sweep"}
      </button>
    </form>
  );
}

function axisOf({ path, values }: Typed): SweptAxis | null {
  const found = valuesIn(values);
  return path.trim() === "" || found === null ? null : { path: path.trim(), values: found };
}

/** Damping and learning rate around those of the first arm that has curvature. */
function firstAxes(spec: Spec | null): readonly Typed[] {
  if (spec === null) return [];
  const index = spec.arms.findIndex((arm) => arm.curvature !== "none");
  const arm = spec.arms[Math.max(0, index)];
  if (arm === undefined) return [];
  const around = (value: number, factors: readonly number[]) =>
    factors.map((factor) => formatSetting(Number((value * factor).toPrecision(2)))).join(", ");
  const at = `arms.${Math.max(0, index)}`;
  const rate = { path: `${at}.lr`, values: around(arm.lr, [0.1, 0.3, 1, 3]) };
  if (index < 0) return [rate];
  return [{ path: `${at}.tikhonov`, values: around(arm.tikhonov, [0.1, 1, 10]) }, rate];
}
