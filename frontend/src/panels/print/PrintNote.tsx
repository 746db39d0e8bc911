/** What a printed page or a report says beside its charts: which run, which settings, from where. */

import { signal } from "@preact/signals";
import type { Spec } from "../../api/types";
import { formatCount, formatSetting } from "../../format";
import { absolute, hrefOf } from "../../state/address/router";
import { armName } from "../../state/arms";
import { presetOf } from "../../state/draft";
import { settingsAt, summariseArm, takesNewtonStep } from "../../state/edit";
import { optionLabel } from "../../state/labels";
import { canTrain, cursor, run } from "../../state/signals";
import { here } from "../classroom/here";

/** The day on which a report was made, as 2026-01-31; empty on the page itself. */
export const made = signal("");

const CITATION =
  "Petersen, Borgelt, Sutter, Kuehne, Deussen, Ermon: Newton Losses, Using Curvature Information " +
  "for Learning with Differentiable Algorithms. NeurIPS 2024.";

/** The loss with its parameters: "NeuralSort (temperature: 0.03; numerics: Log domain, exact)". */
function lossWords(loss: Spec["loss"]): string {
  const own = Object.entries(loss).flatMap(([name, value]) => {
    if (name === "name" || value === null || typeof value === "object") return [];
    const said =
      typeof value === "number" ? formatSetting(value, 4) : optionLabel(name, String(value));
    return [`${name.replaceAll("_", " ")}: ${said}`];
  });
  const name = optionLabel("loss", loss.name);
  return own.length === 0 ? name : `${name} (${own.join("; ")})`;
}

/** An arm with the λ that it had at a step. */
function armWords(spec: Spec, arm: number, step: number): string {
  const own = spec.arms[arm];
  if (own === undefined) return "";
  const { tikhonov } = settingsAt(spec, arm, step);
  const lambda = takesNewtonStep(own) ? `λ ${formatSetting(tikhonov, 3)}, ` : "";
  return `${armName(spec.arms, arm)}: ${lambda}${summariseArm(own)}`;
}

export function PrintNote() {
  const log = run.value;
  const spec = log?.spec;
  if (log === null || spec == null) return null;
  const title = presetOf(spec)?.title;
  const what = `${optionLabel("task", spec.task.name)} · ${lossWords(spec.loss)}`;
  const version = log.versions["newton-lab"];
  const from = [
    `Newton Lab${version === undefined ? "" : ` ${version}`}`,
    (made.value === "" ? new Date() : new Date(made.value)).toLocaleDateString("en", {
      dateStyle: "long",
      ...(made.value !== "" && { timeZone: "UTC" }),
    }),
    ...(canTrain.value ? [absolute(hrefOf(here()))] : []),
  ];
  return (
    <section class="print-note" data-shown={made.value !== ""} aria-label="About this run">
      <h2>{title ?? what}</h2>
      {title !== undefined && <p>{what}</p>}
      <p>
        Step {formatCount(cursor.value)} of {formatCount(spec.steps)} · batches of{" "}
        {formatCount(spec.batch_size)} · seed {spec.seed} · {log.device}
      </p>
      <p>{spec.arms.map((_, index) => armWords(spec, index, cursor.value)).join(" · ")}</p>
      <p>{from.join(" · ")}</p>
      <p>The method: {CITATION}</p>
    </section>
  );
}
