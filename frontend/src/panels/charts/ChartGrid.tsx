/** All charts of a run: the big one answers who is ahead, the small ones why. */

import { computed, type ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import type { Templates } from "../../charts/templates";
import { presenting } from "../../state/signals";
import { ChartCard } from "./ChartCard";
import { ChartSettings } from "./ChartSettings";
import "./charts.css";
import { type ChartModel, chartModel } from "./model";

interface Props {
  /** What `GET /api/figures` answers, or the report has embedded. */
  templates: Templates;
  /** The primary metric of the task on the page; null while it is not known. */
  primary?: ReadonlySignal<string | null>;
  /** Names of the charts to show; left out: all. */
  only?: readonly string[];
  /** What stands between the charts of curves and the wider ones. */
  children?: ComponentChildren;
}

const unknown = computed(() => null);

/** Kinds that are no curves of a run: panels of their own draw them. */
const PICTURES = new Set(["plane", "lines"]);

const isWide = ({ template }: ChartModel): boolean => template.layout.meta.span === "half";
const isCurves = (model: ChartModel): boolean => !isWide(model);

export function ChartGrid({ templates, primary = unknown, only, children }: Props) {
  const models = useMemo(
    () =>
      Object.values(templates)
        .filter(({ layout: { meta } }) => !PICTURES.has(meta.kind))
        .filter(({ layout: { meta } }) => only === undefined || only.includes(meta.chart))
        .map((template) => chartModel(template, primary)),
    [templates, primary, only],
  );
  return (
    <section class={presenting.value ? "charts charts-large" : "charts"} aria-label="Charts">
      {only === undefined && <ChartSettings />}
      {models.filter(isCurves).map((model) => (
        <ChartCard key={model.template.layout.meta.chart} model={model} />
      ))}
      {children}
      {models.filter(isWide).map((model) => (
        <ChartCard key={model.template.layout.meta.chart} model={model} />
      ))}
    </section>
  );
}
