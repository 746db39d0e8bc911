/** The lab beside a lesson: of a page of the lab, what the scene names. */

import type { ComponentChildren } from "preact";
import type { SceneView } from "../../api/types";
import { GradientsPage } from "../../pages/Gradients";
import { SurfacesPage } from "../../pages/Surfaces";
import { ThreeNumbersPage } from "../../pages/ThreeNumbers";
import { catalog, draft, draftLabels, draftStyles } from "../../state/draft";
import { fieldsOf, isUsed } from "../../state/schema";
import { canTrain } from "../../state/signals";
import { Control } from "../../ui/Control";
import { isLive, LiveNumber, Swatch } from "../arms/ArmCard";
import { FieldView } from "../form/FieldView";
import { Notices } from "../notices/Notices";
import { Panels } from "../stage/Panels";
import { Transport } from "../transport/Transport";

const PAGES = {
  surfaces: SurfacesPage,
  "three-numbers": ThreeNumbersPage,
  gradients: GradientsPage,
};

export function Lab({ scene }: { scene: SceneView }) {
  if (scene.page === "compare") return <Runs scene={scene} />;
  const Page = PAGES[scene.page];
  return <Page />;
}

function Runs({ scene: { panels } }: { scene: SceneView }) {
  if (catalog.value === null || draft.value === null) return <p class="hint">Loading…</p>;
  return (
    <div class="stage">
      <Transport />
      <Notices />
      <Controls />
      <Panels only={panels} />
    </div>
  );
}

/** The settings that the scene leaves to the reader. */
function Controls() {
  const known = catalog.value;
  const spec = draft.value;
  if (known === null || spec === null || !canTrain.value) return null;
  const found: ComponentChildren[] = fieldsOf(known.schema, known.schema).flatMap((field) =>
    field.path.length === 1 ? (
      <Control key={field.key} name={String(field.key)}>
        <FieldView field={field} />
      </Control>
    ) : (
      []
    ),
  );
  const item = known.schema.properties?.arms?.items ?? {};
  const arms = spec.arms.flatMap((arm, index) =>
    fieldsOf(known.schema, item, ["arms", index])
      .filter((field) => isLive(field) && isUsed(field, arm))
      .map((field) => {
        const style = draftStyles.value[index];
        if (!isLive(field) || style === undefined) return null;
        return (
          <Control key={field.path.join(".")} name={field.path.join(".")}>
            <p class="arm-head">
              <Swatch style={style} />
              <strong style={{ color: style.ink }}>{draftLabels.value[index]}</strong>
            </p>
            <LiveNumber field={field} index={index} />
          </Control>
        );
      }),
  );
  return <div class="scene-controls panel">{[...found, ...arms]}</div>;
}
