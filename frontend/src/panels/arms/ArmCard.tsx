/** One arm: what it trains with now, its settings, its name and colour. */

import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import type { ArmSpec, Change } from "../../api/types";
import { formatCount, formatSetting } from "../../format";
import { type ArmStyle, strokeDash } from "../../state/arms";
import { catalog, draft, edit, editArms, isEdited, problemsAt } from "../../state/draft";
import { removeArm, settingsAt, summariseArm, withoutChanges } from "../../state/edit";
import { type Field, fieldsOf, isUsed, type NumberField } from "../../state/schema";
import { chosenColours, cursor, runSpec } from "../../state/signals";
import { vocabulary } from "../../state/vocabulary";
import { ask, asking, beginDrag, type Setting } from "../../state/whatIf";
import { Icon } from "../../ui/Icon";
import { FieldView } from "../form/FieldView";
import { Fold } from "../form/Fold";
import { NumberControl } from "../form/NumberControl";

interface Props {
  index: number;
  arm: ArmSpec;
  label: string;
  style: ArmStyle | undefined;
  removable: boolean;
}

export function ArmCard({ index, arm, label, style, removable }: Props) {
  const known = catalog.value;
  if (known === null || style === undefined) return null;
  const item = known.schema.properties?.arms?.items ?? {};
  const fields = fieldsOf(known.schema, item, ["arms", index]).filter((field) =>
    isUsed(field, arm),
  );
  const live = fields.filter(isLive);
  const front = live.filter((field) => field.key === "tikhonov");
  const folded = fields.filter((field) => !front.includes(field as NumberField));
  return (
    <fieldset class="arm" aria-label={label} style={{ borderColor: style.colour }}>
      {/* A slider in Chromium ends its drag when the fieldset itself gets a child. */}
      <div>
        <p class="arm-head">
          <Swatch style={style} />
          <strong style={{ color: style.ink }}>{label}</strong>
          <span>{summariseArm(arm)}</span>
        </p>
        {front.map((field) => (
          <LiveNumber key={field.key} field={field} index={index} />
        ))}
        <Fold label="More" holds={folded.map((field) => field.path)}>
          {folded.map((field) =>
            isLive(field) ? (
              <LiveNumber key={field.key} field={field} index={index} />
            ) : (
              <FieldView key={field.key} field={field} />
            ),
          )}
          <ColourPicker index={index} style={style} label={label} />
          {removable && (
            <button
              type="button"
              class="wide"
              onClick={() => {
                chosenColours.value = chosenColours.value.filter((_, at) => at !== index);
                editArms((spec) => removeArm(spec, index));
              }}
            >
              <Icon name="remove" size={15} />
              Remove {label}
            </button>
          )}
        </Fold>
      </div>
    </fieldset>
  );
}

export function isLive(field: Field): field is NumberField {
  return field.kind === "number" && (field.key === "tikhonov" || field.key === "lr");
}

/**
 * A setting that can change while the run is under way. At the start (or once other settings were
 * edited) it edits the spec of the next run; in the middle it asks "what if", from there on.
 */
export function LiveNumber({ field, index }: { field: NumberField; index: number }) {
  const dragged = useSignal<{ value: number; step: number } | null>(null);
  const asked = asking.value;
  const key = field.key as Setting;
  const spec = runSpec.value;
  const step = Math.round(cursor.value);
  const isUnderWay = spec !== null && !isEdited.value && step > 0;
  const isWhatIf = isUnderWay && step < spec.steps;

  const own = (draft.value?.arms[index]?.[key] as number | undefined) ?? null;
  // what the arm trains with at this step, also at the end, where there is nothing left to ask
  const value = isUnderWay ? settingsAt(spec, index, step)[key] : own;
  const wanted = asked?.arm === index ? asked.setting[key] : undefined;
  const from = dragged.value?.step ?? (wanted === undefined ? null : (asked?.step ?? null));
  const drag = (next: number) => {
    if (!isWhatIf) edit(field.path, next);
    else dragged.value = { value: next, step: dragged.value?.step ?? beginDrag(index, key) };
  };
  const commit = (next: number | null) => {
    const at = dragged.value?.step ?? null;
    dragged.value = null;
    if (next === null || (next === value && wanted === undefined)) return;
    if (isWhatIf) ask(index, at ?? beginDrag(index, key), key, next);
    else edit(field.path, next);
  };
  const later = isUnderWay ? [] : (draft.value?.changes ?? []).filter(isOwn);
  function isOwn(change: Change): boolean {
    return change.arm === index && change[key] !== null;
  }
  return (
    <>
      <NumberControl
        field={field}
        value={dragged.value?.value ?? wanted ?? value}
        problems={problemsAt(field.path)}
        onInput={drag}
        onCommit={commit}
      />
      {later.map((change) => (
        <p class="hint" key={change.step}>
          {`${formatSetting(change[key] ?? 0)} from step ${formatCount(change.step)} on `}
          <button
            type="button"
            class="link"
            onClick={() =>
              editArms((spec) => ({
                ...spec,
                changes: withoutChanges(spec.changes, index, key, change.step),
              }))
            }
          >
            forget it
          </button>
        </p>
      ))}
      {from !== null && (
        <p class="hint">
          What if, from step {formatCount(from)} on
          {dragged.value === null ? "…" : ": let go to see"}
        </p>
      )}
    </>
  );
}

/** The arm's line as the charts draw it. */
export function Swatch({ style }: { style: ArmStyle }) {
  return (
    <svg class="swatch" width="26" height="10" viewBox="0 0 26 10" aria-hidden="true">
      <line
        x1="1"
        x2="25"
        y1="5"
        y2="5"
        stroke={style.colour}
        stroke-width="3"
        stroke-dasharray={strokeDash(style.dash)}
      />
    </svg>
  );
}

function ColourPicker({ index, style, label }: { index: number; style: ArmStyle; label: string }) {
  const name = useId();
  const choose = (slot: number) => {
    const colours = [...chosenColours.value];
    while (colours.length <= index) colours.push(null);
    colours[index] = slot;
    chosenColours.value = colours;
  };
  return (
    <fieldset class="colours">
      <legend>Colour</legend>
      {vocabulary.value.arm_styles.map(({ name: title }, slot) => (
        <label key={title} data-tip={title}>
          <input
            type="radio"
            name={name}
            checked={slot === style.slot}
            aria-label={`${label} in ${title}`}
            onChange={() => choose(slot)}
          />
          <span style={{ background: `var(--arm-${slot})` }} />
        </label>
      ))}
    </fieldset>
  );
}
