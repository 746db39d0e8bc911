/** Keeps the address and the page's state the same, both ways. */

import { batch, computed, effect, untracked } from "@preact/signals";
import type { Catalog, Spec } from "../api/types";
import { playing, seek, speed } from "./clock";
import { catalog, draft, isEdited, loadDraft, presetOfDraft, presetSpec } from "./draft";
import { failure } from "./failure";
import { hasEnded } from "./log";
import { hrefOf, type Place, place, placeOf, runIdOf } from "./router";
import { layOver, leave, loadSpecOf, open } from "./session";
import {
  type ChartChoice,
  chartChoices,
  chartSettings,
  chosenColours,
  cursor,
  hasRun,
  landscapeSettings,
  overlays,
  presenting,
  run,
  runId,
  theme,
  thresholds,
} from "./signals";
import { decodeSpec, encodeSpec } from "./specurl";
import { readUrl, type UrlState, writeUrl } from "./url";

/** Writes to the history at most this often: browsers refuse more. */
const WRITE_MS = 400;

/** What every address carries, whatever is on the page. */
export function applyView(state: UrlState): void {
  batch(() => {
    if (state.theme !== "system") theme.value = state.theme;
    presenting.value = state.present;
    speed.value = state.speed;
    chartSettings.x.value = state.x;
    chartSettings.xAxis.value = state.xaxis;
    chartSettings.yAxis.value = state.yaxis === "auto" ? null : state.yaxis;
    chartSettings.smoothing.value = state.smooth;
    chartChoices.value = Object.fromEntries(state.charts);
    thresholds.value = { vanishing: state.vanishing, exploding: state.exploding };
    chosenColours.value = state.colours;
    landscapeSettings.plane.value = state.plane === "auto" ? null : state.plane;
    landscapeSettings.points.value = state.points + 1 - (state.points % 2); // odd: with a centre
    landscapeSettings.surface.value = state.shape === "surface";
    landscapeSettings.log.value = state.height === "log";
    landscapeSettings.shared.value = state.shading === "shared";
  });
}

/** Loads what the address names: a run, a spec, a preset, or the default preset. */
async function applyAddress(known: Catalog, path: string, state: UrlState): Promise<void> {
  applyView(state);
  const id = runIdOf(path);
  if (id === null) {
    leave();
    const own = specOf(known, state);
    loadDraft(own ?? defaultSpec(known));
    if (own === null && state.like !== "") await loadSpecOf(state.like);
    return;
  }
  if (runId.peek() === id) {
    if (state.step !== null) seek(state.step);
    return;
  }
  const found = await open(id, state.step);
  if (!found) {
    if (draft.peek() === null) loadDraft(defaultSpec(known));
    return;
  }
  const edited = specOf(known, state);
  if (edited !== null) loadDraft(edited);
  if (state.with.length > 0) await layOver(state.with);
}

function specOf(known: Catalog, state: UrlState): Spec | null {
  if (state.spec !== "") {
    const spec = decodeSpec(known.schema, state.spec);
    if (spec !== null) return spec as Spec;
    failure.value = { message: "The settings in this link cannot be read.", retry: null };
  }
  const preset = known.presets.find((candidate) => candidate.name === state.preset);
  return preset === undefined ? null : presetSpec(known, preset);
}

function defaultSpec(known: Catalog): Spec {
  const first = known.presets[0];
  if (first === undefined) throw new Error("the server has no presets");
  return presetSpec(known, first);
}

const specText = computed(() => {
  const known = catalog.value;
  return known === null || draft.value === null ? "" : encodeSpec(known.schema, draft.value);
});

/** Whether the run on the page goes on and is looked at as it does. */
const isLive = computed(() => playing.value && run.value !== null && !hasEnded(run.value));

/** The address of what the page shows now. */
const currentAddress = computed((): string => {
  const state: Partial<UrlState> = {
    speed: speed.value,
    x: chartSettings.x.value,
    xaxis: chartSettings.xAxis.value,
    yaxis: chartSettings.yAxis.value ?? "auto",
    smooth: chartSettings.smoothing.value,
    charts: Object.entries(chartChoices.value).filter(isChosen),
    ...thresholds.value,
    plane: landscapeSettings.plane.value ?? "auto",
    points: landscapeSettings.points.value,
    shape: landscapeSettings.surface.value ? "surface" : "contour",
    height: landscapeSettings.log.value ? "log" : "linear",
    shading: landscapeSettings.shared.value ? "shared" : "own",
    with: overlays.value.map((overlay) => overlay.id),
    colours: chosenColours.value,
    theme: theme.value,
    present: presenting.value,
  };
  const preset = presetOfDraft.value;
  const isDefault = preset !== null && preset === catalog.value?.presets[0];
  if (!hasRun.value || isEdited.value) {
    if (preset === null) state.spec = specText.value;
    else if (hasRun.value || !isDefault) state.preset = preset.name;
  }
  // A reload of a live run that plays goes on at its head; everything else comes back to its step.
  if (hasRun.value && !isLive.value) state.step = cursor.value;
  return hrefOf({ path: hasRun.value ? `runs/${runId.value}` : "", search: writeUrl(state) });
});

function isChosen([, { metric, log }]: [string, ChartChoice]): boolean {
  return metric !== null || log !== null;
}

/** Connects the address and the page; `onRead` hears of every place before it is loaded. */
export function startAddress(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reading = false;

  effect(() => {
    const known = catalog.value;
    const { path, search } = place.value;
    if (known === null || !(path === "" || runIdOf(path) !== null)) return;
    untracked(() => {
      reading = true;
      void applyAddress(known, path, readUrl(search)).finally(() => {
        reading = false;
      });
    });
  });

  effect(() => {
    clearTimeout(timer);
    const { path } = place.value;
    if (draft.value === null || !(path === "" || runIdOf(path) !== null)) return;
    const address = currentAddress.value;
    timer = setTimeout(() => {
      if (!reading) write(address);
    }, WRITE_MS);
  });
}

/** Another run is a new entry of the history; everything else amends the current one. */
function write(address: string): void {
  const url = new URL(address, document.baseURI);
  if (url.href === location.href) return;
  if (url.pathname === location.pathname) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
}

/** The page for comparing arms with what it shows now. */
export function comparePlace(): Place {
  return placeOf(new URL(currentAddress.peek(), document.baseURI).href, document.baseURI);
}
