/** The paths that noise on an arm's costs leads to: what a smoothed loss's gradient is made of. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { send } from "../../api/client";
import type { NoiseAnswer, NoiseQuery } from "../../api/descents";
import { formatMeasured } from "../../format";
import { posted, problemOf, useQuery } from "../../state/query";
import { canTrain, runSpec } from "../../state/signals";
import type { MapItem } from "./items";
import { distinct, type Tile } from "./maps";

const MOST_SAMPLES = 100;

export interface Noise {
  /** Whether the arm's loss is made of noise samples, and the costs can be solved. */
  offered: boolean;
  open: Signal<boolean>;
  /** Null until they have come, and while they are not shown. */
  paths: Tile[][] | null;
  /** What is seen, or why it is not; null while the samples are not shown. */
  words: string | null;
}

let isPrepared = false;

/** The first question of all takes a second longer, as the solver loads: it is asked ahead. */
function prepare(): void {
  if (isPrepared || !canTrain.value) return;
  isPrepared = true;
  send("POST", "api/perturbed-paths", { costs: [[1]], sigma: 1, samples: 1 }).catch(() => {
    isPrepared = false; // a server that is away says so where its answer is needed
  });
}

const askNoise = posted<NoiseQuery, NoiseAnswer>("api/perturbed-paths");

/** Noise as the arm's loss has it, drawn anew but alike for all arms and steps. */
export function useNoise(arm: number, item: MapItem): Noise {
  const open = useSignal(false);
  const query = useSignal<NoiseQuery | null>(null);
  const { answer, state } = useQuery(query, askNoise);
  const spec = runSpec.value;
  const loss: Record<string, unknown> = spec?.arms[arm]?.loss ?? spec?.loss ?? {};
  const { sigma, samples, antithetic } = loss;
  const known = typeof sigma === "number" && typeof samples === "number";
  const offered = known && item.predicted_path !== null;
  const shown = open.value && offered;
  useEffect(() => {
    if (offered) prepare();
  }, [offered]);
  useEffect(() => {
    query.value = shown
      ? {
          // An arm with a path has no other costs.
          costs: item.costs.map((row) => row.filter((cost) => cost !== null)),
          sigma,
          samples: Math.min(samples, MOST_SAMPLES),
          antithetic: antithetic === true,
        }
      : null;
  }, [shown, item.costs, sigma, samples, antithetic, query]);
  if (!shown) return { offered, open, paths: null, words: null };
  const paths = answer.value?.paths ?? null;
  return { offered, open, paths, words: problemOf(state.value) ?? wordsOf(paths, sigma) };
}

function wordsOf(paths: Tile[][] | null, sigma: number): string {
  if (paths === null) return "solving the samples…";
  const different = distinct(paths);
  return (
    `${paths.length} noise samples (σ = ${formatMeasured(sigma)}) lead to` +
    ` ${different} ${different === 1 ? "path" : "different paths"}: the gradient averages over them`
  );
}
