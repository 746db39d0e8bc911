/** The lab beside a lesson: of a page of the lab, what the scene names. */

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { SceneView } from "../../api/types";
import { GradientsPage } from "../../pages/Gradients";
import { SurfacesPage } from "../../pages/Surfaces";
import { ThreeNumbersPage } from "../../pages/ThreeNumbers";
import { catalog, draft, draftLabels, draftStyles } from "../../state/draft";
import { fieldsOf, isUsed } from "../../state/schema";
import { hasRun } from "../../state/signals";
import { loadTemplates, templates } from "../../state/templates";
import { Control } from "../../ui/Control";
import { isLive, LiveNumber, Swatch } from "../arms/ArmCard";
import { ChartGrid } from "../charts/ChartGrid";
import { CurvaturePanel } from "../curvature/CurvaturePanel";
import { ExamplesPanel } from "../examples/ExamplesPanel";
import { FieldView } from "../form/FieldView";
import { LandscapePanel } from "../landscape/LandscapePanel";
import { Empty } from "../notices/Empty";
import { Notices } from "../notices/Notices";
import { primaryMetric, SentencePanel } from "../sentence/SentencePanel";
import { Transport } from "../transport/Transport";
import { TurnPanel } from "../turn/TurnPanel";

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
  useEffect(() => void loadTemplates(), []);
  const shows = (panel: string) => panels.length === 0 || panels.some((name) => name === panel);
  const known = templates.value;
  if (catalog.value === null || draft.value === null) return <p class="hint">Loading…</p>;
  return (
    <div class="stage">
      <Transport />
      <Notices />
      <Controls />
      {shows("sentence") && <SentencePanel />}
      {!hasRun.value && <Empty story={false} />}
      {known !== null && (
        <div class="drawn" hidden={!hasRun.value}>
          <ChartGrid
            templates={known}
            primary={primaryMetric}
            {...(panels.length > 0 && { only: panels })}
          >
            {shows("step") && <CurvaturePanel templates={known} />}
            {shows("examples") && <ExamplesPanel />}
          </ChartGrid>
        </div>
      )}
      {known !== null && shows("landscape") && <LandscapePanel templates={known} />}
      {known !== null && shows("turn") && <TurnPanel templates={known} />}
    </div>
  );
}

/** The settings that the scene leaves to the reader. */
function Controls() {
  const known = catalog.value;
  const spec = draft.value;
  if (known === null || spec === null) return null;
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
