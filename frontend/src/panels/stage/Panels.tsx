/** The panels of a run, or those of them that a lesson's scene or a frame names. */

import { useEffect } from "preact/hooks";
import { ASKING, PANELS } from "../../state/frame";
import { canTrain, hasRun } from "../../state/signals";
import { loadTemplates, templates } from "../../state/templates";
import { ChartGrid } from "../charts/ChartGrid";
import { CurvaturePanel } from "../curvature/CurvaturePanel";
import { ExamplesPanel } from "../examples/ExamplesPanel";
import { LandscapePanel } from "../landscape/LandscapePanel";
import { Empty } from "../notices/Empty";
import { primaryMetric, SentencePanel } from "../sentence/SentencePanel";
import { TurnPanel } from "../turn/TurnPanel";

/** `only`: their names; none means all. */
export function Panels({ only }: { only: readonly string[] }) {
  useEffect(() => void loadTemplates(), []);
  const shows = (panel: string) => only.length === 0 || only.includes(panel);
  const known = templates.value;
  const missing = canTrain.value ? [] : ASKING.filter((panel) => only.includes(panel));
  return (
    <>
      {missing.length > 0 && (
        <p class="panel hint">
          {missing.map((panel) => PANELS[panel]).join(", ")}: the lab shows this; it computes it for
          each step, so it is not in a file.
        </p>
      )}
      {shows("sentence") && <SentencePanel />}
      {!hasRun.value && <Empty story={false} />}
      {known !== null && (
        <div class="drawn" hidden={!hasRun.value}>
          <ChartGrid
            templates={known}
            primary={primaryMetric}
            {...(only.length > 0 && { only: [...only] })}
          >
            {canTrain.value && shows("step") && <CurvaturePanel templates={known} />}
            {shows("examples") && <ExamplesPanel />}
          </ChartGrid>
        </div>
      )}
      {known !== null && shows("landscape") && <LandscapePanel templates={known} />}
      {known !== null && canTrain.value && shows("turn") && <TurnPanel templates={known} />}
    </>
  );
}
