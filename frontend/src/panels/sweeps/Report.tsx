/** The best cell: as the sweep chose it, and as seeds that chose nothing see it. */

import { computed } from "@preact/signals";
import type { Spec } from "../../api/types";
import { comparePlace } from "../../state/address/compare";
import { navigate } from "../../state/address/router";
import { catalog, loadDraft } from "../../state/draft";
import { setPath } from "../../state/schema";
import { leave } from "../../state/session";
import { SeedsComparison } from "../comparison/SeedsComparison";
import { type Sweep, sweep } from "./sweep";
import { interval, number, seedsUpTo, seedWords, settingsWords } from "./words";

/** The best cell on report seeds, once it has been run on them. */
const compared = computed(() => {
  const arms = sweep.value?.report.value?.arms.length ?? 0;
  return arms > 0 ? `sweep=${sweep.value?.detail.id}` : null;
});

export function Report({ shown }: { shown: Sweep }) {
  const { detail } = shown;
  const best = shown.best.value;
  const report = shown.report.value;
  if (best === null) return null;
  const { metric, grid, report_seeds: seeds } = detail;
  const alone = report?.arms.length === 1 ? (report.arms[0] ?? null) : null;
  const going = detail.status === "running";
  return (
    <section class="panel" aria-labelledby="best-title">
      <h2 id="best-title">
        {going && report === null ? "Best so far" : "Best cell"}{" "}
        <small>{settingsWords(best.settings, grid)}</small>
      </h2>
      <p>
        {number(metric, best.mean)} over tuning {seedWords(detail.seeds)}, which chose it: the best
        of {shown.done.value} is partly lucky, so this number claims nothing.
      </p>
      {report === null && seeds > 0 && (
        <p class="hint">
          {going
            ? `Once the grid is done, it runs again on ${seedWords(seedsUpTo(seeds))}.`
            : "It has not been tested on seeds that chose nothing."}
        </p>
      )}
      {report !== null && report.error === null && (
        <p>
          On {seedWords(seedsUpTo(report.seeds))}, which chose nothing:
          {alone !== null && ` ${number(metric, alone.mean)} (${interval(metric, alone)}).`}
        </p>
      )}
      <SeedsComparison of={compared} />
      {report?.error != null && <p class="field-error">{report.error}</p>}
      <button
        type="button"
        disabled={catalog.value === null}
        onClick={() => {
          let spec = detail.spec as Spec;
          for (const { path } of grid) {
            const way = path.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part));
            spec = setPath(spec, way, best.settings[path]);
          }
          leave();
          loadDraft(spec);
          navigate(comparePlace());
        }}
      >
        Train with these settings
      </button>
    </section>
  );
}
