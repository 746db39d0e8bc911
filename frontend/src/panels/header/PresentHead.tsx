/** What a projector shows above the charts: what this is, each arm's λ, and what was changed. */

import { formatCount, formatSetting } from "../../format";
import { armName } from "../../state/arms";
import { presetOf } from "../../state/draft";
import { settingsAt, takesNewtonStep } from "../../state/edit";
import { optionLabel } from "../../state/labels";
import { cursor, ghost, runSpec, styles } from "../../state/signals";

export function PresentHead() {
  const spec = runSpec.value;
  if (spec === null) return null;
  const { task, loss, arms, changes } = spec;
  const step = cursor.value;
  return (
    <section class="present-head" aria-label="What is shown">
      <h2>
        {presetOf({ ...spec, changes: [] })?.title ??
          [...new Set([optionLabel("task", task.name), optionLabel("loss", loss.name)])].join(", ")}
      </h2>
      <p>
        {arms.map((arm, index) => {
          if (!takesNewtonStep(arm)) return null;
          const { tikhonov } = settingsAt(spec, index, step);
          return (
            <span key={arm.label} style={{ color: styles.value[index]?.ink }}>
              {armName(arms, index)} λ {formatSetting(tikhonov, 3)}
            </span>
          );
        })}
        {changes
          .filter((change) => change.tikhonov !== null && change.step <= step)
          .map((change) => (
            <span key={`${change.arm} ${change.step}`}>
              changed at step {formatCount(change.step)}: {armName(arms, change.arm)} λ{" "}
              {formatSetting(change.tikhonov ?? 0, 3)}
            </span>
          ))}
        {ghost.value !== null && <span>faint: before the change</span>}
      </p>
    </section>
  );
}
