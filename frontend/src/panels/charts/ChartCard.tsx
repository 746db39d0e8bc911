/** One card of the grid: title with unit and scale, small controls, the chart or its table. */

import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { Chart } from "../../charts/Chart";
import { type Drawn, unitText } from "../../charts/compose";
import { downloadChart, type PictureFormat } from "../../charts/image";
import { isHighlighted } from "../../state/scene";
import { cursor, hoverStep } from "../../state/signals";
import { TermsOf } from "../lesson/Glossary";
import { ChartTable } from "./DataTable";
import { Icon } from "./icons";
import { type ChartModel, smoothing } from "./model";
import { ThresholdSelect } from "./ThresholdSelect";
import { Toolbar } from "./Toolbar";

export function ChartCard({ model }: { model: ChartModel }) {
  const table = useSignal(false);
  const expanded = useSignal(false);
  const about = useSignal(false);
  const drawn = useSignal<Drawn | null>(null);
  const problem = useSignal<string | null>(null);
  const heading = useId();
  const { choice, template } = model;
  const { span, chart } = template.layout.meta;
  const savePicture = async (format: PictureFormat): Promise<void> => {
    problem.value = null;
    await downloadChart(model.view.value, format).catch((reason: unknown) => {
      problem.value = `The picture could not be made: ${String(reason)}`;
    });
  };
  return (
    <section
      class={`chart chart-${span}${expanded.value ? " chart-expanded" : ""}`}
      data-chart={chart}
      data-highlight={isHighlighted(chart)}
      aria-labelledby={heading}
    >
      <header class="chart-head">
        <div class="chart-title" data-tip={explanation(model)}>
          <h3 id={heading}>{choice.value.title}</h3>
          <MetricSelect model={model} />
        </div>
        <small class="chart-unit">
          {unitText(model.view.value)}
          <ThresholdSelect metric={choice.value.metric} />
        </small>
        <Toolbar
          title={choice.value.title}
          table={table}
          expanded={expanded}
          onPicture={savePicture}
        >
          <button
            type="button"
            aria-label={`What am I looking at: ${choice.value.title}`}
            aria-expanded={about.value}
            data-tip="What am I looking at?"
            onClick={() => {
              about.value = !about.value;
            }}
          >
            <Icon name="what" />
          </button>
          <AxisTools model={model} />
        </Toolbar>
      </header>
      {about.value && (
        <p class="chart-about">
          {explanation(model)} <TermsOf metric={choice.value.metric} />
        </p>
      )}
      {table.value && <ChartTable model={model} />}
      <div class="chart-body" hidden={table.value}>
        <Chart
          view={model.view}
          cursor={cursor}
          hover={hoverStep}
          onHover={(step) => {
            hoverStep.value = step;
          }}
          onZoom={model.zoom}
          onReset={model.resetZoom}
          onDrawn={(now) => {
            drawn.value = now;
          }}
        />
        <Waiting drawn={drawn.value} />
      </div>
      {problem.value !== null && (
        <p class="chart-problem" role="alert">
          {problem.value}
        </p>
      )}
    </section>
  );
}

/** What can be done with the axes; the heat map has a scale of its own. */
function AxisTools({ model }: { model: ChartModel }) {
  return (
    <>
      {model.zoomed.value && (
        <button type="button" onClick={model.resetZoom} data-tip="Show everything again">
          <Icon name="reset" />
          <span class="chart-tool-word">reset zoom</span>
        </button>
      )}
      {model.template.layout.meta.kind !== "heat" && !model.onlyLinear.value && (
        <button
          type="button"
          aria-pressed={model.log.value}
          onClick={model.toggleLog}
          data-tip="Logarithmic value axis"
        >
          <span class="chart-tool-word">log</span>
        </button>
      )}
    </>
  );
}

/** What the metric is, and how its line was smoothed. */
function explanation(model: ChartModel): string {
  const { description: said, source } = model.choice.value;
  const description = model.onlyLinear.value
    ? `${said} Known up to a constant: only differences mean something.`
    : said;
  const { layers } = model.view.value;
  if (layers.some(({ seeds }) => seeds !== undefined)) {
    return `${description} Line: mean of the seeds; band: from the least of them to the greatest. It ends where an arm has diverged in one of them.`;
  }
  if (source !== "metrics" || smoothing.value <= 1) return description;
  return `${description} Line: running mean over about ${smoothing.value} recorded values; behind it, the values.`;
}

/** The title is its own menu where the chart can show more than one metric. */
function MetricSelect({ model }: { model: ChartModel }) {
  if (model.choices.value.length < 2) return null;
  return (
    <>
      <span class="chart-caret" aria-hidden="true" />
      <select
        class="chart-metric"
        aria-label="Metric of this chart"
        value={model.choice.value.metric}
        onChange={(event) => model.choose(event.currentTarget.value)}
      >
        {model.choices.value.map((option) => (
          <option key={option.metric} value={option.metric}>
            {option.title} ({option.unit})
          </option>
        ))}
      </select>
    </>
  );
}

/** Says why a chart is empty. */
function Waiting({ drawn }: { drawn: Drawn | null }) {
  if (drawn === null || drawn.curves.some((curve) => curve.shown > 0)) return null;
  // As it was drawn: while the page is busy, more may have arrived since.
  const log = drawn.view.layers.find(({ kind }) => kind === "main")?.log;
  if (log === undefined || log.status === "loading") return null;
  const message = log.status === "running" ? "No values yet" : "This run has none";
  return <p class="chart-message">{message}</p>;
}
