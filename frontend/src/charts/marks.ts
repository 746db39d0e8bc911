/** Events on the x axis: spikes, changes. Few lines where they matter, ticks for the rest. */

import { significant } from "../format";
import { type AxisPlan, fraction } from "./axes";
import type { Plot } from "./layout";
import type { PlotlyLayout } from "./plotly";
import { xOf } from "./series";
import { lookOf, type View } from "./view";

/** One event, where it is drawn. */
export interface Mark {
  /** `spike`: a line across the plot; `tick`: a lesser spike; `change`: of a setting. */
  kind: "spike" | "tick" | "change";
  left: number;
  plot: Plot;
  colour: string;
  dash: string;
  /** What changed, where there is room to say it. */
  note: string;
  noteInk: string;
  /** The arm and step of it. */
  arm: number;
  step: number;
  /** Height of the arm's recorded value at that step, for a ring around it; null: none. */
  ring: number | null;
}

interface Spike {
  arm: number;
  step: number;
  /** Pixels from the plot's left edge. */
  at: number;
  colour: string;
  /** How many times the usual. */
  size: number;
}

const LINES = 3;
const NEAR = 3;
/** Height of a tick. */
const TICK = 5;

/**
 * Marks for the spikes and changes of the page's own run, up to the cursor; in the panel of one
 * `arm`, its own large ones alone.
 */
export function marksOf(view: View, axis: AxisPlan, plot: Plot, arm: number | null = null): Mark[] {
  const mine = <T extends { arm: number }>(found: T[]): T[] =>
    arm === null ? found : found.filter((one) => one.arm === arm);
  const spikes = spikesOf(view, axis, plot);
  const lines = new Set(largestApart(spikes));
  const mark = (
    kind: Mark["kind"],
    { arm: of, step, at }: { arm: number; step: number; at: number },
    colour: string,
    dash: string,
  ): Mark => {
    const place = { left: plot.left + at, plot, arm: of, step, ring: null };
    return { kind, ...place, colour, dash, note: "", noteInk: "" };
  };
  return [
    ...thinned(arm === null ? spikes : [])
      .filter((spike) => !lines.has(spike))
      .map((spike) => mark("tick", spike, spike.colour, "")),
    ...mine([...lines]).map((spike) => mark("spike", spike, view.palette.warn, "2 3")),
    ...mine(changesOf(view, axis, plot)).map((change) => ({
      ...mark("change", change, view.palette.accent, "6 3"),
      note: change.note,
      noteInk: change.ink,
    })),
  ];
}

function spikesOf(view: View, axis: AxisPlan, plot: Plot): Spike[] {
  // Spikes are of one run; a mean over seeds has others at other steps.
  if (view.layers.some(({ seeds }) => seeds !== undefined)) return [];
  return mainArms(view).flatMap(({ arm, log }) =>
    log.spikes.flatMap((spike) => {
      const at = placed(axis, xOf(log, spike.step, view.x), plot);
      if (spike.step > view.cursor || at === null) return [];
      // A spike that is not finite is the largest there can be.
      const size = Number.isNaN(spike.norm) ? Number.MAX_VALUE : spike.norm / spike.median;
      return [{ arm, step: spike.step, at, colour: lookOf(view, arm).colour, size }];
    }),
  );
}

function changesOf(
  view: View,
  axis: AxisPlan,
  plot: Plot,
): { arm: number; step: number; at: number; note: string; ink: string }[] {
  const found = mainArms(view).flatMap(({ arm, log }) =>
    log.changes.flatMap((change) => {
      const at = placed(axis, xOf(log, change.step, view.x), plot);
      if (change.step > view.cursor || at === null) return [];
      const lambda = change.tikhonov === null ? [] : [`λ ${significant(change.tikhonov, 2)}`];
      const rate = change.lr === null ? [] : [`lr ${significant(change.lr, 2)}`];
      const note = [...lambda, ...rate].join(", ");
      return [{ arm, step: change.step, at, note, ink: lookOf(view, arm).ink }];
    }),
  );
  const roomy = view.template.layout.meta.span === "hero" ? LINES : 0;
  return found.map((change, index) =>
    index >= found.length - roomy ? change : { ...change, note: "" },
  );
}

/** Where words above a plot stand: in its margin, where no curve and no line goes through them. */
export function noteBottom(plot: Plot): number {
  return plot.top - 2;
}

function mainArms(view: View) {
  return view.layers
    .filter((layer) => layer.kind === "main")
    .flatMap((layer) => layer.log.arms.map((log, arm) => ({ arm, log })));
}

/** Pixels along the plot; null outside of it. */
function placed(axis: AxisPlan, x: number, plot: Plot): number | null {
  const share = fraction(axis, x);
  return share >= 0 && share <= 1 ? share * plot.width : null;
}

/**
 * The few largest spikes, none within a few pixels of a larger one. A spike of ten times the usual
 * norm does not matter beside one of thousands: it counts only if it reaches the square root of the
 * largest.
 */
export function largestApart(spikes: readonly Spike[]): Spike[] {
  const kept: Spike[] = [];
  const least = Math.sqrt(Math.max(0, ...spikes.map((spike) => spike.size)));
  for (const spike of [...spikes].sort((a, b) => b.size - a.size)) {
    if (kept.length === LINES || spike.size < least) break;
    if (kept.every((other) => Math.abs(other.at - spike.at) > 4 * NEAR)) kept.push(spike);
  }
  return kept;
}

/** One of each colour every few pixels: hundreds of spikes stay a row of ticks. */
export function thinned(spikes: readonly Spike[]): Spike[] {
  const seen = new Set<string>();
  return spikes.filter((spike) => {
    const key = `${spike.colour} ${Math.round(spike.at / NEAR)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Upper and lower end of a mark's line, in pixels of the container. */
export function reach(mark: Mark): [number, number] {
  const bottom = mark.plot.top + mark.plot.height;
  return [mark.kind === "tick" ? bottom - TICK : mark.plot.top, bottom];
}

/** The marks as Plotly shapes on `paper`, for a figure that leaves the page. */
export function markShapes(marks: readonly Mark[], paper: Plot): PlotlyLayout[] {
  return marks.map((mark) => {
    const { left, width, top, height } = paper;
    const x = (mark.left - left) / width;
    const [from, to] = reach(mark).map((at) => 1 - (at - top) / height) as [number, number];
    const dash = mark.dash === "" ? "solid" : mark.dash.replaceAll(" ", "px,").concat("px");
    return {
      type: "line",
      xref: "paper",
      yref: "paper",
      x0: x,
      x1: x,
      y0: from,
      y1: to,
      line: { color: mark.colour, width: mark.kind === "tick" ? 1.5 : 1, dash },
    };
  });
}
