/** The page's shared state. Everything visible follows from these signals. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { type ArmStyle, armStyles } from "./arms";
import type { Following } from "./following";
import type { Thresholds } from "./health";
import type { RunLog } from "./log";
import { vocabulary } from "./vocabulary";

/** Where the run on the page comes from: the server that computes it, or the page itself. */
export interface RunSource {
  readonly log: ReadonlySignal<RunLog>;
}

export const source = signal<RunSource | null>(null);

/** The run on the page as far as it has come; null: none. It is another log once it has grown. */
export const run = computed<RunLog | null>(() => source.value?.log.value ?? null);

/** What of the run stays while it grows, for those who need no more. */
export const hasRun = computed(() => run.value !== null);
export const runId = computed(() => run.value?.id ?? "");
export const runSpec = computed(() => run.value?.spec ?? null);

/** Shows a log that is complete. */
export function showLog(log: RunLog): void {
  source.value = { log: signal(log) };
}

/** The playback step: everything on the page shows the run up to here. */
export const cursor = signal(0);

/** The run before the last what-if: its curves stay behind the new ones. */
export const ghost = signal<RunLog | null>(null);

/** Other runs laid over this one (compare). */
export const overlays = signal<readonly RunLog[]>([]);

/** Runs that differ from the one on the page in their seed alone: with them, charts show means. */
export const seedRuns = signal<readonly Following[]>([]);

/** Colours chosen by hand, one palette slot per arm; null follows from what the arm is. */
export const chosenColours = signal<(number | null)[]>([]);

/** The look of each arm of `run`. */
export const styles = computed<ArmStyle[]>(() =>
  armStyles(runSpec.value?.arms ?? [], chosenColours.value),
);

export type Theme = "system" | "light" | "dark";

/** What the reader chose. */
export const theme = signal<Theme>("system");

/** What the system prefers; `watchSystemTheme` keeps it current. */
export const systemTheme = signal<"light" | "dark">("light");

/** Whether the page is laid out for a sheet of paper, as it is while the browser prints. */
export const onPaper = signal(false);

/** What is drawn. */
export const shownTheme = computed<"light" | "dark">(() => {
  if (onPaper.value) return "light";
  return theme.value === "system" ? systemTheme.value : theme.value;
});

export type Axis = "linear" | "log";

/** How the charts draw; shared by all of them. Null: each chart's own default. */
export const chartSettings = {
  x: signal<"step" | "seconds">("step"),
  xAxis: signal<Axis>("linear"),
  yAxis: signal<Axis | null>(null),
  /** Width of the smoothing in logged points; 1 draws raw values alone, 0 fits it to the run. */
  smoothing: signal(0),
};

/** What a reader chose for one chart: its metric, its value axis; null: its own default. */
export interface ChartChoice {
  metric: string | null;
  log: boolean | null;
}

/** The choices made, by the chart's name. */
export const chartChoices = signal<Readonly<Record<string, ChartChoice>>>({});

/** Thresholds that the reader chose, as powers of ten; null: the server's. */
export const vanishing = signal<number | null>(null);
export const exploding = signal<number | null>(null);

/** Which gradients count as vanishing and exploding, as powers of ten: for charts and sentence. */
export const thresholds = computed<Thresholds>(() => ({
  vanishing: vanishing.value ?? Math.log10(vocabulary.value.thresholds.vanishing),
  exploding: exploding.value ?? Math.log10(vocabulary.value.thresholds.exploding),
}));

/** The plane of weights that landscapes are drawn on; `run`: the one that the run chose itself. */
export type LandscapePlane = "run" | "trajectory" | "principal" | "filter_normalised" | "arms";

/** How landscapes draw. Plane null: the one that fits the run. */
export const landscapeSettings = {
  plane: signal<LandscapePlane | null>(null),
  /** Points a side of slices that are computed on demand. */
  points: signal(41),
  surface: signal(false),
  log: signal(true),
  /** Whether pictures share one scale of colours. */
  shared: signal(true),
};

/** What the pointer is over on any chart, as a step; null: nothing. */
export const hoverStep = signal<number | null>(null);

/** Larger type, no rail: for a projector. */
export const presenting = signal(false);

/** Whether the screen has few lines, as a projector of 1280 x 720: as in the styles. */
export const lowScreen = signal(false);

/** Size of the text in pictures, relative to the usual one; the same share of any projector. */
export const textScale = computed(() => (presenting.value ? (lowScreen.value ? 1.25 : 1.5) : 1));

/** Whether there is a server that trains; a report has none. */
export const canTrain = signal(true);
