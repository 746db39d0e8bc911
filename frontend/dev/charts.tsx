/**
 * The charts alone, fed with an invented run: `?steps=10000&play=1&theme=dark&width=...`.
 * `window.charts` drives and measures them from a test.
 */

import { effect } from "@preact/signals";
import { render } from "preact";
import type { Templates } from "../src/charts/templates";
import { ChartGrid } from "../src/panels/charts/ChartGrid";
import { applyEvent, newLog, type RunLog } from "../src/state/log";
import * as state from "../src/state/signals";
import "../src/styles/tokens.css";
import "./charts.css";
import { syntheticEvents } from "./synthetic";

const asked = new URLSearchParams(location.search);
const steps = Number(asked.get("steps") ?? 10000);
const every = Number(asked.get("every") ?? Math.ceil(steps / 60));

function wholeLog(): RunLog {
  const log = newLog("a1b2c3d4e5");
  for (const event of syntheticEvents(steps, every)) applyEvent(log, event);
  return log;
}

state.theme.value = (asked.get("theme") ?? "light") as state.Theme;
effect(() => {
  document.documentElement.dataset.theme = state.shownTheme.value;
});
state.chartSettings.smoothing.value = Number(asked.get("smoothing") ?? 0);
state.chartSettings.x.value = asked.get("x") === "seconds" ? "seconds" : "step";
state.chartSettings.xAxis.value = asked.get("xlog") ? "log" : "linear";
state.presenting.value = asked.has("present");
if (state.presenting.value) document.documentElement.dataset.present = "";

/** Feeds the run as it would arrive: `rate` steps a second, the cursor at the head. */
function stream(rate: number): Promise<number[]> {
  const log = newLog("a1b2c3d4e5");
  state.run.value = log;
  const events = syntheticEvents(steps, every);
  const frames: number[] = [];
  const started = performance.now();
  let before = started;
  let pending = events.next();
  let position = 0;
  let revised = started;
  return new Promise((resolve) => {
    const frame = (): void => {
      const now = performance.now();
      frames.push(now - before);
      before = now;
      const until = ((now - started) / 1000) * rate;
      while (!pending.done) {
        const event = pending.value;
        const at = event.type === "metrics" ? event.steps[0] : "step" in event ? event.step : 0;
        if ((at ?? 0) > until) break;
        applyEvent(log, event);
        pending = events.next();
      }
      position = Math.min(log.head, until);
      state.cursor.value = Math.floor(position);
      if (now - revised > 100) {
        revised = now;
        state.revision.value += 1;
      }
      if (pending.done && position >= steps) resolve(frames);
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}

const templates = (await fetch("/api/figures").then((answer) => answer.json())) as Templates;
if (!asked.has("empty")) {
  const log = wholeLog();
  state.run.value = log;
  state.cursor.value = Number(asked.get("cursor") ?? steps);
  if (asked.has("ghost")) state.ghost.value = log;
}
render(<ChartGrid templates={templates} />, document.getElementById("page") as HTMLElement);

declare global {
  interface Window {
    charts: { state: typeof state; stream: typeof stream };
  }
}
window.charts = { state, stream };
