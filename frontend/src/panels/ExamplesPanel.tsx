/** See what it does: the same test cases through the eyes of every arm, at the playback step. */

import { lastUpToStep } from "../state/column";
import { formatCount } from "../state/format";
import { cursor, revision, run, styles } from "../state/signals";
import { examplesAt } from "./examples/items";
import { examplesView } from "./examples/registry";

export function ExamplesPanel() {
  revision.value;
  const log = run.value;
  const spec = log?.spec;
  if (log === null || spec == null) return null;
  const view = examplesView(spec.task.name);
  if (view === undefined || log.arms.every((arm) => arm.examples.length === 0)) return null;
  const step = cursor.value;
  return (
    <section class="panel examples" aria-labelledby="examples-title">
      <h2 id="examples-title">
        {view.title} <small>{view.subtitle}</small>
      </h2>
      <div class="examples-grid">
        {log.arms.map((arm, index) => {
          const style = styles.value[index];
          const record = lastUpToStep(arm.examples, step);
          const label = spec.arms[index]?.label ?? "";
          return (
            <div class="examples-row" key={label}>
              <h3 style={{ color: style?.ink }}>
                {label}
                {record !== undefined && <small>after step {formatCount(record.step)}</small>}
              </h3>
              <div class="examples-items">
                <view.Arm items={examplesAt(arm, step)} />
              </div>
            </div>
          );
        })}
      </div>
    </section>
  );
}
