/** Arms side by side: the bar, the sentence, the charts, what they say; the controls beside. */

import { useEffect } from "preact/hooks";
import { type ArmPanel, picturedSteps } from "../api/landscapes";
import { ArmsPanel } from "../panels/arms/ArmsPanel";
import { NearLambdas } from "../panels/arms/NearLambdas";
import { ChartGrid } from "../panels/charts/ChartGrid";
import { CurvaturePanel } from "../panels/curvature/CurvaturePanel";
import { ExamplesPanel } from "../panels/examples/ExamplesPanel";
import { PresentHead } from "../panels/header/PresentHead";
import { LandscapePanel } from "../panels/landscape/LandscapePanel";
import { Empty } from "../panels/notices/Empty";
import { Notices } from "../panels/notices/Notices";
import { PrintNote } from "../panels/print/PrintNote";
import { OverSeedsPanel } from "../panels/seeds/OverSeedsPanel";
import { primaryMetric, SentencePanel } from "../panels/sentence/SentencePanel";
import { PresetPanel } from "../panels/spec/PresetPanel";
import { SpecPanel } from "../panels/spec/SpecPanel";
import { Framed } from "../panels/stage/Framed";
import { Transport } from "../panels/transport/Transport";
import { TurnPanel } from "../panels/turn/TurnPanel";
import { embedded } from "../state/address/router";
import { catalog } from "../state/draft";
import { framed } from "../state/frame";
import { canTrain, hasRun, presenting, run } from "../state/signals";
import { loadTemplates, templates } from "../state/templates";

/** Whether a server, or else the file, has what a panel asks for. */
function answers(panel: ArmPanel): boolean {
  const log = run.value;
  if (canTrain.value || log === null) return canTrain.value;
  const steps = log.snapshots.map(({ step }) => step);
  return picturedSteps(panel, log.id, steps).length > 0;
}

export function ComparePage() {
  useEffect(() => {
    void loadTemplates();
  }, []);
  if (framed.value) return <Framed />;
  const rail = canTrain.value && !presenting.value && !embedded.value;
  return (
    <main class={rail ? "compare" : "compare compare-alone"}>
      {rail && (
        <aside class="rail" aria-label="Settings">
          {catalog.value === null ? <p class="panel hint">Loading…</p> : null}
          <PresetPanel />
          <SpecPanel />
          <ArmsPanel />
        </aside>
      )}
      <div class="stage">
        <PrintNote />
        {presenting.value && <PresentHead />}
        <Transport />
        <Notices />
        <SentencePanel />
        <OverSeedsPanel />
        {!hasRun.value && <Empty />}
        {hasRun.value && rail && <NearLambdas />}
        {/* Before the first run there is nothing to draw, but Plotly loads and is ready for it. */}
        {templates.value !== null && (
          <div class="drawn" hidden={!hasRun.value}>
            <ChartGrid templates={templates.value} primary={primaryMetric}>
              {answers("step") && <CurvaturePanel templates={templates.value} />}
              <ExamplesPanel />
            </ChartGrid>
          </div>
        )}
        {templates.value !== null && <LandscapePanel templates={templates.value} />}
        {templates.value !== null && answers("turn") && <TurnPanel templates={templates.value} />}
      </div>
    </main>
  );
}
