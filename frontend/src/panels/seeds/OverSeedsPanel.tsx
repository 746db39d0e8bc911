/** The run on the page over several seeds: which are done, what they say, what the charts show. */

import { computed } from "@preact/signals";
import { formatCount } from "../../format";
import type { Following } from "../../state/following";
import { SEEDS, seedsDone, showsSeeds } from "../../state/seeds";
import { run, runSpec, seedRuns } from "../../state/signals";
import { Link } from "../../ui/Link";
import { SeedsComparison } from "../comparison/SeedsComparison";

/** Ids of the seeds that are done, the page's own run first. */
const compared = computed(() => {
  const own = run.value;
  const ids = [own, ...seedsDone.value].flatMap((log) =>
    log?.status === "finished" ? [log.id] : [],
  );
  return showsSeeds.value && ids.length > 1 ? `runs=${ids.join(",")}` : null;
});

export function OverSeedsPanel() {
  const own = runSpec.value?.seed;
  if (!showsSeeds.value || own === undefined) return null;
  const shown = [own, ...seedsDone.value.map(({ spec }) => spec?.seed ?? 0)].sort((a, b) => a - b);
  const others = seedRuns.value.filter(({ log }) => log.value.status !== "finished");
  return (
    <section class="panel seeds-panel" aria-labelledby="over-seeds-title">
      <h2 id="over-seeds-title">Over seeds</h2>
      <p>
        <span role="status">
          {shown.length === 1
            ? `The charts show seed ${own} alone until another seed has finished. `
            : `The charts show the mean of ${shown.length} of ${Math.max(SEEDS, seedRuns.value.length + 1)} seeds (${shown.join(", ")}), and a band from the lowest to the highest of them. `}
        </span>
        Everything else on this page shows seed {own} alone.
      </p>
      {others.length > 0 && (
        <ul class="seeds-others">
          {others.map((other) => (
            <li key={other.log.value.id}>
              <Waiting other={other} />
            </li>
          ))}
        </ul>
      )}
      <SeedsComparison of={compared} folded />
    </section>
  );
}

function Waiting({ other }: { other: Following }) {
  const { id, spec } = other.log.value;
  return (
    <>
      <Link to={{ path: `runs/${id}`, search: "" }}>seed {spec?.seed}</Link> {wordsOf(other)}
    </>
  );
}

/** Where a seed that is not done stands. */
function wordsOf({ log, state }: Following): string {
  const { status, head, spec } = log.value;
  if (state.value.kind === "gone") return "was removed";
  if (status === "failed") return "failed";
  if (status === "cancelled") return `was stopped at step ${formatCount(head)}`;
  if (state.value.kind === "queued" || status === "loading") return "waits for its turn";
  return `is at step ${formatCount(head)} of ${formatCount(spec?.steps ?? 0)}`;
}
