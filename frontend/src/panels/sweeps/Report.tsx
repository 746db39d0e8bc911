/** The best cell: as the sweep chose it, and as seeds that chose nothing see it. */

import type { Spec } from "../../api/types";
import { comparePlace } from "../../state/address/compare";
import { navigate } from "../../state/address/router";
import { catalog, loadDraft } from "../../state/draft";
import { setPath } from "../../state/schema";
import { leave } from "../../state/session";
import type { Sweep } from "./sweep";
import { difference, interval, number, settingsWords } from "./words";

export function Report({ shown }: { shown: Sweep }) {
  const { detail } = shown;
  const best = shown.best.value;
  const report = shown.report.value;
  if (best === null) return null;
  const { metric, grid, report_seeds: seeds } = detail;
  const going = detail.status === "running";
  return (
    <section class="panel" aria-labelledby="best-title">
      <h2 id="best-title">
        {going && report === null ? "Best so far" : "Best cell"}{" "}
        <small>{settingsWords(best.settings, grid)}</small>
      </h2>
      <p>
        {number(metric, best.mean)} over tuning seeds {detail.seeds[0]} to {detail.seeds.at(-1)},
        which chose it: the best of {shown.done.value} is lucky too, so this number claims nothing.
      </p>
      {report === null && seeds > 0 && (
        <p class="hint">
          {going
            ? `Once the grid is done, it runs again on seeds 0 to ${seeds - 1}.`
            : "It has not been tested on seeds that chose nothing."}
        </p>
      )}
      {report !== null && report.arms.length > 0 && (
        <table class="sweep-report">
          <caption>
            {metric.title} on seeds 0 to {report.seeds - 1}, which chose nothing: mean and 95 %
            interval{metric.better === "lower" && "; lower is better"}
          </caption>
          <thead>
            <tr>
              <th scope="col">arm</th>
              <th scope="col">mean</th>
              <th scope="col">interval</th>
              <th scope="col">difference to {detail.arms[0]}</th>
            </tr>
          </thead>
          <tbody>
            {report.arms.map((arm) => (
              <tr key={arm.label}>
                <th scope="row">{arm.label}</th>
                <td>{number(metric, arm.mean)}</td>
                <td>{interval(metric, arm)}</td>
                <td>
                  {arm.difference !== null &&
                    `${difference(metric, arm.difference)} (${interval(metric, arm.difference)})`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
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
