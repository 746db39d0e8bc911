/** The picked runs compared over their seeds. */

import { computed } from "@preact/signals";
import { SeedsComparison } from "../comparison/SeedsComparison";
import { picked } from "./list";

const question = computed(() =>
  picked.value.length > 1 ? `runs=${picked.value.join(",")}` : null,
);

export function SeedsPanel() {
  if (question.value === null) return null;
  return (
    <section class="panel seeds-panel" aria-labelledby="seeds-title">
      <h3 id="seeds-title">Over seeds</h3>
      <SeedsComparison of={question} />
    </section>
  );
}
