/** λ of every arm that has one, near the chart that it changes: for screens of one column. */

import { catalog, draft, draftLabels, draftStyles } from "../../state/draft";
import { fieldsOf, isUsed } from "../../state/schema";
import { isLive, LiveNumber } from "./ArmCard";

export function NearLambdas() {
  const known = catalog.value;
  const spec = draft.value;
  if (known === null || spec === null) return null;
  const item = known.schema.properties?.arms?.items ?? {};
  const found = spec.arms.flatMap((arm, index) => {
    const fields = fieldsOf(known.schema, item, ["arms", index]);
    const field = fields.find(({ key }) => key === "tikhonov");
    if (field === undefined || !isLive(field) || !isUsed(field, arm)) return [];
    return [{ index, field: { ...field, title: `λ ${draftLabels.value[index]}` } }];
  });
  if (found.length === 0) return null;
  return (
    <section class="panel near-lambdas" aria-label="Tikhonov λ of the arms">
      {found.map(({ index, field }) => (
        <div key={index} style={{ color: draftStyles.value[index]?.ink }}>
          <LiveNumber field={field} index={index} />
        </div>
      ))}
    </section>
  );
}
