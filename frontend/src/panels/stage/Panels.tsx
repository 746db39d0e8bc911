/** The panels of a run, or those of them that a lesson's scene or a frame names. */

import { useEffect } from "preact/hooks";
import { asksNobody } from "../../api/kept";
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
  const asks = canTrain.value || asksNobody(); // a file has brought the answers along
  return (
    <>
      {shows("sentence") && <SentencePanel />}
      {!hasRun.value && <Empty story={false} />}
      {known !== null && (
        <div class="drawn" hidden={!hasRun.value}>
          <ChartGrid
            templates={known}
            primary={primaryMetric}
            {...(only.length > 0 && { only: [...only] })}
          >
            {asks && shows("step") && <CurvaturePanel templates={known} />}
            {shows("examples") && <ExamplesPanel />}
          </ChartGrid>
        </div>
      )}
      {known !== null && shows("landscape") && <LandscapePanel templates={known} />}
      {known !== null && asks && shows("turn") && <TurnPanel templates={known} />}
    </>
  );
}
