/** What one chart of the grid shows: the page's state and the chart's own choices as a view. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Spec } from "../../api/types";
import type { ZoomChange } from "../../charts/plotter";
import { fittingWidth } from "../../charts/smooth";
import { type Choice, choicesFor, type Template } from "../../charts/templates";
import type { Layer, View } from "../../charts/view";
import type { RunLog } from "../../state/log";
import { pointedOut } from "../../state/scene";
import { seedsDone } from "../../state/seeds";
import {
  type Axis,
  type ChartChoice,
  chartChoices,
  chartSettings,
  cursor,
  ghost,
  overlays,
  run,
  runId,
  runSpec,
  styles,
  textScale,
  thresholds,
} from "../../state/signals";
import { paletteOf } from "../../state/theme";
import { vocabulary } from "../../state/vocabulary";

/** A zoomed range, and what the axis showed when the reader dragged it out. */
interface Kept {
  range: [number, number];
  of: string;
}

/** The x range that the reader zoomed to: of all charts, so that they stay comparable. */
const zoomX = signal<Kept | null>(null);

/** Width of the running mean, in logged points: chosen, or fitted to the run. */
export const smoothing = computed(() => chartSettings.smoothing.value || fitted.value);

/** The width that fits the run on the page. */
export const fitted = computed(() => {
  const spec = runSpec.value;
  return spec === null ? 1 : fittingWidth(spec.steps / spec.log_every);
});

/** One scale for all charts: what was chosen for single ones goes. */
export function setAllScales(scale: Axis | null): void {
  const kept = Object.entries(chartChoices.value).map(([name, { metric }]) => [
    name,
    { metric, log: null },
  ]);
  chartChoices.value = Object.fromEntries(kept);
  chartSettings.yAxis.value = scale;
}

export interface ChartModel {
  template: Template;
  choices: ReadonlySignal<Choice[]>;
  choice: ReadonlySignal<Choice>;
  choose(metric: string): void;
  /** Whether the values are known up to a constant, so that a logarithm would mean nothing. */
  onlyLinear: ReadonlySignal<boolean>;
  log: ReadonlySignal<boolean>;
  toggleLog(): void;
  zoomed: ReadonlySignal<boolean>;
  zoom(change: ZoomChange): void;
  resetZoom(): void;
  view: ReadonlySignal<Omit<View, "width" | "height">>;
}

/** What tells a run laid over the page's own apart: its seed, where that is all. */
function overlayName(other: RunLog, main: RunLog): string {
  const seed = other.spec?.seed;
  const isElse = seed === undefined || seed === main.spec?.seed;
  return isElse ? other.id.slice(0, 6) : `seed ${seed}`;
}

/** Whether a metric is the value of a loss that is known up to a constant only. */
function isUpToConstant(metric: string, spec: Spec | null): boolean {
  if (spec === null || (metric !== "loss" && metric !== "own_loss")) return false;
  const own = metric === "loss" ? [] : spec.arms.map((arm) => arm.loss?.name);
  const { up_to_constant: names } = vocabulary.value;
  return [spec.loss.name, ...own].some((name) => name !== undefined && names.includes(name));
}

/** Names of test metrics in a log: those without the standard errors. */
function evaluated(log: RunLog | null): string[] {
  const first = log?.arms.find((arm) => arm.evaluations.length > 0)?.evaluations[0];
  return Object.keys(first?.values ?? {}).filter((name) => !name.endsWith("_se"));
}

/** `primary`: the task's primary metric, where it is known before the run ends. */
export function chartModel(template: Template, primary: ReadonlySignal<string | null>): ChartModel {
  const { meta } = template.layout;
  const own = computed(() => chartChoices.value[meta.chart] ?? { metric: null, log: null });
  const choose = (change: Partial<ChartChoice>) => {
    chartChoices.value = { ...chartChoices.value, [meta.chart]: { ...own.peek(), ...change } };
  };
  const zoomY: Signal<Kept | null> = signal(null);

  // Compared as text, so that a log that grows does not make new choices of the same names.
  const names = computed(() => {
    const { value: log } = run;
    return [log?.summary?.primary_metric ?? primary.value ?? "", ...evaluated(log)].join(" ");
  });
  const choices = computed(() => {
    const [first = "", ...rest] = names.value.split(" ");
    return choicesFor(
      template,
      rest,
      first === "" ? (rest[0] ?? null) : first,
      runSpec.value?.task.name ?? null,
    );
  });
  const choice = computed(() => {
    const all = choices.value;
    return all.find((c) => c.metric === own.value.metric) ?? (all[0] as Choice);
  });
  const onlyLinear = computed(() => isUpToConstant(choice.value.metric, runSpec.value));
  const log = computed(() => {
    if (onlyLinear.value) return false;
    const all = chartSettings.yAxis.value;
    return own.value.log ?? (all === null ? choice.value.log : all === "log");
  });

  const xKey = computed(
    () => `${runId.value} ${chartSettings.x.value} ${chartSettings.xAxis.value}`,
  );
  const yKey = computed(() => `${runId.value} ${choice.value.metric} ${log.value}`);
  const kept = (from: Kept | null, key: string) => (from?.of === key ? from.range : null);
  const zoomNow = computed(() => ({
    x: kept(zoomX.value, xKey.value),
    y: kept(zoomY.value, yKey.value),
  }));

  const layers = computed<Layer[]>(() => {
    const main = run.value;
    if (main === null) return [];
    const seeds = seedsDone.value;
    if (seeds.length > 0) return [{ log: main, kind: "main", name: "", seeds }];
    const past: Layer[] =
      ghost.value === null ? [] : [{ log: ghost.value, kind: "ghost", name: "before" }];
    const over = overlays.value
      .filter((other) => other.id !== main.id)
      .map((other): Layer => ({ log: other, kind: "overlay", name: overlayName(other, main) }));
    return [{ log: main, kind: "main", name: "" }, ...past, ...over];
  });

  const view = computed(() => ({
    template,
    choice: choice.value,
    layers: layers.value,
    styles: pointedOut(styles.value, runSpec.value?.arms.map(({ label }) => label) ?? []),
    palette: paletteOf(template),
    cursor: Math.floor(cursor.value),
    x: chartSettings.x.value,
    xLog: chartSettings.xAxis.value === "log",
    yLog: log.value,
    smoothing: smoothing.value,
    thresholds: thresholds.value,
    zoom: zoomNow.value,
    scale: textScale.value,
  }));

  return {
    template,
    choices,
    choice,
    choose: (metric) => choose({ metric, log: null }),
    onlyLinear,
    log,
    toggleLog: () => choose({ log: !log.value }),
    zoomed: computed(() => zoomNow.value.x !== null || zoomNow.value.y !== null),
    zoom: ({ x, y }) => {
      if (x !== undefined) zoomX.value = { range: x, of: xKey.value };
      if (y !== undefined) zoomY.value = { range: y, of: yKey.value };
    },
    resetZoom: () => {
      zoomX.value = null;
      zoomY.value = null;
    },
    view,
  };
}
