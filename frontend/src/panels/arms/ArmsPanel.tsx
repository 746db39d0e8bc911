/** The compared ways to train: one card an arm, in its colour. */

import { catalog, draft, draftLabels, draftStyles, editArms, problemsAt } from "../../state/draft";
import { addArm } from "../../state/edit";
import { Icon } from "../../ui/Icon";
import { ArmCard } from "./ArmCard";

export function ArmsPanel() {
  const known = catalog.value;
  const spec = draft.value;
  if (known === null || spec === null) return null;
  const most = known.limits.max_arms;
  return (
    <section class="panel" aria-labelledby="arms-title">
      <h2 id="arms-title">
        Arms <small>same weights, same batches</small>
      </h2>
      {spec.arms.map((arm, index) => (
        <ArmCard
          key={index}
          index={index}
          arm={arm}
          label={draftLabels.value[index] ?? ""}
          style={draftStyles.value[index]}
          removable={spec.arms.length > 1}
        />
      ))}
      {problemsAt(["arms"]).map((message) => (
        <p class="field-error" key={message}>
          {message}
        </p>
      ))}
      <button
        type="button"
        class="wide"
        disabled={spec.arms.length >= most}
        onClick={() => editArms((current) => addArm(known, current))}
      >
        <Icon name="plus" size={16} />
        {spec.arms.length < most ? "Add an arm" : `At most ${most} arms`}
      </button>
    </section>
  );
}
