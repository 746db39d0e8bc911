/** See what it does: the same test cases through the eyes of every arm, at the playback step. */

import { useSignal } from "@preact/signals";
import { formatCount } from "../../format";
import { pointedArm } from "../../state/frame";
import { cursor, run, styles } from "../../state/signals";
import { agesOf, examplesAt } from "./items";
import { examplesView } from "./registry";

export function ExamplesPanel() {
  const log = run.value;
  const chosen = useSignal(0);
  const spec = log?.spec;
  if (log === null || spec == null) return null;
  const view = examplesView(spec.task.name);
  const first = log.arms.find((arm) => arm.examples.length > 0)?.examples[0];
  if (view === undefined || first === undefined) return null;

  const step = cursor.value;
  const groups = view.groups?.(first.items) ?? [0];
  const group = groups[chosen.value] ?? 0;
  const ages = agesOf(log.arms, step);
  const part = view.part ?? "Test set";
  const shared = {
    all: log.arms.map((arm) => examplesAt(arm, step)),
    group,
    labels: spec.arms.map((arm) => arm.label),
  };
  return (
    <section class="panel examples" aria-labelledby="examples-title">
      <div class="examples-head">
        <h2 id="examples-title">
          {view.title}{" "}
          <small>
            {view.subtitle}
            {ages.shown === null ? "" : `, after step ${formatCount(ages.shown)}`}
          </small>
        </h2>
        {groups.length > 1 && (
          <fieldset class="choices" aria-label={part}>
            {groups.map((name, index) => (
              <button
                key={name}
                type="button"
                aria-pressed={index === chosen.value}
                aria-label={`${part} ${index + 1}`}
                onClick={() => {
                  chosen.value = index;
                }}
              >
                {index + 1}
              </button>
            ))}
          </fieldset>
        )}
      </div>
      <div class={view.strip === true ? "examples-grid strip" : "examples-grid"}>
        {view.Truth !== undefined && <view.Truth {...shared} />}
        {shared.all.map((items, arm) => {
          const [label, look] = [shared.labels[arm], styles.value[arm]];
          if (label === undefined || look === undefined) return null;
          if (pointedArm.value !== null && pointedArm.value !== arm) return null;
          return (
            <div class="examples-row" key={label}>
              <h3 style={{ color: look.ink }}>
                {label}
                {ages.older[arm] != null && (
                  <small> diverged: after step {formatCount(ages.older[arm])}</small>
                )}
              </h3>
              <view.Arm {...shared} arm={arm} items={items} label={label} look={look} />
            </div>
          );
        })}
      </div>
      {view.Notes !== undefined && <view.Notes {...shared} />}
    </section>
  );
}
