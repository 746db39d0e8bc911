/** What a printed page says beside its charts: which run it was, with which settings, from where. */

import { formatCount } from "../../format";
import { armName } from "../../state/arms";
import { presetOf } from "../../state/draft";
import { summariseArm } from "../../state/edit";
import { optionLabel } from "../../state/labels";
import { canTrain, cursor, run } from "../../state/signals";

export function PrintNote() {
  const log = run.value;
  const spec = log?.spec;
  if (log === null || spec == null) return null;
  const version = log.versions["newton-lab"];
  const from = [
    `Newton Lab${version === undefined ? "" : ` ${version}`}`,
    new Date().toLocaleDateString("en", { dateStyle: "long" }),
    ...(canTrain.value ? [location.href] : []),
  ];
  return (
    <section class="print-note">
      <h2>
        {presetOf(spec)?.title ??
          `${optionLabel("task", spec.task.name)}, ${optionLabel("loss", spec.loss.name)}`}
      </h2>
      <p>
        Step {formatCount(cursor.value)} of {formatCount(spec.steps)} · batches of{" "}
        {formatCount(spec.batch_size)} · seed {spec.seed} · {log.device}
      </p>
      <p>
        {spec.arms
          .map((arm, index) => `${armName(spec.arms, index)}: ${summariseArm(arm)}`)
          .join(" · ")}
      </p>
      <p>{from.join(" · ")}</p>
    </section>
  );
}
