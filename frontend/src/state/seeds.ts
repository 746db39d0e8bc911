/** The run on the page over several seeds: the others of its kind, trained, followed, left. */

import { batch, computed } from "@preact/signals";
import { request, submitRun } from "../api/client";
import type { RunDetail, Spec, Submitted } from "../api/types";
import type { RunLog } from "./log";
import { follow, perform } from "./session";
import { run, runId, runSpec, seedRuns } from "./signals";

/** Seeds of a comparison on the page. */
export const SEEDS = 5;

/** The greatest seed that a spec may have. */
const LAST_SEED = Number.MAX_SAFE_INTEGER;

/** Logs of the other seeds that are done. One that failed or was stopped is none. */
export const seedsDone = computed<readonly RunLog[]>(() =>
  seedRuns.value.map(({ log }) => log.value).filter(({ status }) => status === "finished"),
);

/** Whether the page shows the run over several seeds. */
export const showsSeeds = computed(() => seedRuns.value.length > 0);

/** The same experiment with the seeds that follow its own, or lead to it at the end of all. */
export function otherSeeds(spec: Spec): Spec[] {
  const first = Math.min(spec.seed, LAST_SEED - SEEDS + 1);
  return Array.from({ length: SEEDS }, (_, index) => first + index)
    .filter((seed) => seed !== spec.seed)
    .map((seed) => ({ ...spec, seed }));
}

/** Trains the other seeds of the run shown, as ordinary runs; those that exist are taken. */
export async function trainSeeds(): Promise<void> {
  const spec = runSpec.peek();
  if (spec === null) return;
  const id = runId.peek();
  await perform(
    { kind: "seeds" },
    async (signal) => {
      const others = otherSeeds(spec);
      const answers: Submitted[] = [];
      for (const other of others) {
        answers.push(await submitRun(other));
        signal.throwIfAborted();
      }
      if (runId.peek() !== id) return;
      seedRuns.value = answers.map((answer, index) => follow(answer, others[index] as Spec));
    },
    () => void trainSeeds(),
  );
}

/** Shows seeds that a link names. One that is gone, or of another experiment, is left out. */
export async function openSeeds(ids: readonly string[]): Promise<void> {
  const own = run.peek()?.spec;
  if (own == null) return;
  await perform(
    { kind: "seeds" },
    async (signal) => {
      const found = await Promise.allSettled(
        ids.map((id) => request<RunDetail>(`api/runs/${encodeURIComponent(id)}`, { signal })),
      );
      signal.throwIfAborted();
      const others = found
        .flatMap((one) => (one.status === "fulfilled" ? [one.value] : []))
        .filter(({ spec }) => isOtherSeed(own, spec));
      leaveSeeds();
      seedRuns.value = others.map((detail) => follow(detail, detail.spec));
    },
    () => void openSeeds(ids),
  );
}

/** Whether two experiments differ in their seeds alone. */
function isOtherSeed(one: Spec, other: Spec): boolean {
  const same = JSON.stringify({ ...other, seed: one.seed }) === JSON.stringify(one);
  return same && other.seed !== one.seed;
}

/** Back to the one run. The others go on: they are runs like any. */
export function leaveSeeds(): void {
  batch(() => {
    for (const other of seedRuns.peek()) other.close();
    seedRuns.value = [];
  });
}
