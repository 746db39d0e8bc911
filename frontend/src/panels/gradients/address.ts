/** What the Gradients page shows, in its address; and the place there that explains a spike. */

import type { Named, Spec } from "../../api/types";
import { pageAddress } from "../../state/address/page";
import { choice, fitting, integer, number, text } from "../../state/address/properties";
import type { Place } from "../../state/address/router";
import { settingsAt, takesNewtonStep } from "../../state/edit";
import type { RunLog } from "../../state/log";
import { batchScores, rangeAround } from "./scores";

export const gradientsAddress = pageAddress("gradients", {
  loss: text("neuralsort"),
  numerics: choice(["log_domain", "bce_loss"], "bce_loss"),
  network: choice(["odd_even", "bitonic"], "odd_even"),
  temperature: number(0.1, 1e-3, 1e3),
  tikhonov: number(0.1, 1e-9, 1e9),
  n: integer(5, 2, 32),
  /** As typed; empty: evenly spread, or a batch's. */
  scores: text(),
  from: number(-10, -1e6, 1e6),
  to: number(10, -1e6, 1e6),
  /** A run whose network says the scores: empty for none. */
  run: text(),
  arm: integer(0, 0, 99),
  /** Null: as far as the run has come. */
  step: integer<number | null>(null, 0, 1e9),
  /** Norms between which a gradient is neither lost nor too large; null: the server's thresholds. */
  vanishing: fitting(number(0, 0, 1e9)),
  exploding: fitting(number(1, 1e-12, 1e30)),
});

type Settings = Parameters<typeof gradientsAddress.set>[0];

/** What an arm trains with at a step, as settings of the page. */
export function trainedWith(spec: Spec, arm: number, step: number): Settings {
  const own = spec.arms[arm];
  const loss: Named = own?.loss ?? spec.loss;
  const temperature = loss.temperature ?? loss.inverse_temperature ?? loss.regularization_strength;
  // A vanilla arm has no λ: its gradient is compared with the steps of the first arm that has one.
  const curved = spec.arms.findIndex(takesNewtonStep);
  const from = own !== undefined && takesNewtonStep(own) ? arm : curved;
  return {
    loss: loss.name,
    ...(typeof temperature === "number" && { temperature }),
    ...((loss.numerics === "log_domain" || loss.numerics === "bce_loss") && {
      numerics: loss.numerics,
    }),
    ...((loss.network === "odd_even" || loss.network === "bitonic") && { network: loss.network }),
    ...(from >= 0 && { tikhonov: settingsAt(spec, from, step).tikhonov }),
  };
}

/** Where an arm's spike is explained: with its loss, λ and scores; null where nothing is known. */
export function spikePlace(log: RunLog, arm: number, step: number): Place | null {
  const { spec } = log;
  if (spec === null || spec.task.name !== "ranking") return null;
  const batch = batchScores(log, arm, step);
  const range = rangeAround(batch?.scores[0] ?? []);
  if (batch === null || range === null) return null;
  const [from, to] = range;
  return gradientsAddress.placeWith({
    ...trainedWith(spec, arm, step),
    run: log.id,
    arm,
    step,
    from,
    to,
  });
}
