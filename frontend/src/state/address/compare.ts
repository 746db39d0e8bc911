/** The address of the comparing page: what it carries, and how the page comes to be what it says. */

import { batch, computed, effect, untracked } from "@preact/signals";
import type { Catalog, Spec } from "../../api/types";
import { goTo, playing, speed } from "../clock";
import {
  catalog,
  draft,
  isEdited,
  loadDraft,
  presetItself,
  presetOfDraft,
  presetSpec,
} from "../draft";
import { failure } from "../failure";
import { chosenArm, isPanel, type PanelName, shownPanels } from "../frame";
import { hasEnded } from "../log";
import { leaveSeeds, openSeeds } from "../seeds";
import { isDiscarded, layOver, leave, loadSpecOf, open } from "../session";
import {
  type ChartChoice,
  chartChoices,
  chartSettings,
  chosenColours,
  cursor,
  exploding,
  hasRun,
  landscapeSettings,
  overlays,
  presenting,
  run,
  runId,
  seedRuns,
  theme,
  vanishing,
} from "../signals";
import { bound, boundBy, getBound, keepWritten, setBound } from "./bound";
import {
  choice,
  either,
  fitting,
  flag,
  integer,
  list,
  type Property,
  readQuery,
  type StateOf,
  text,
  writeQuery,
} from "./properties";
import { embedded, hrefOf, type Place, place, placeOf, runIdOf } from "./router";
import { decodeSpec, encodeSpec } from "./specText";

/** A palette slot; `-` for one that follows from what the arm is. */
const colour: Property<number | null> = {
  initial: null,
  read: (value) => (value === "-" ? null : /^[0-5]$/.test(value) ? Number(value) : undefined),
  write: (value) => (value === null ? "-" : String(value)),
};

/** A choice for one chart: `loss~newton_loss`, `loss~newton_loss~log`, `loss~~linear`. */
const chartChoice: Property<[string, ChartChoice]> = {
  initial: ["", { metric: null, log: null }],
  read(value) {
    const [name = "", metric = "", scale = ""] = value.split("~");
    if (name === "" || !["", "log", "linear"].includes(scale)) return undefined;
    return [name, { metric: metric || null, log: scale === "" ? null : scale === "log" }];
  },
  write([name, { metric, log }]) {
    const scale = log === null ? "" : log ? "~log" : "~linear";
    return `${name}~${metric ?? ""}${scale}`;
  },
};

/** Points a side of a landscape: odd, so that there is a centre. */
const points: Property<number> = {
  ...integer(41, 21, 101),
  read(value) {
    const found = integer(41, 21, 101).read(value);
    return found === undefined ? undefined : found + 1 - (found % 2);
  },
};

/** The id of a run. */
const runName: Property<string> = {
  initial: "",
  read: (value) => (/^[\w-]+$/.test(value) ? value : undefined),
  write: (value) => value,
};

const panelName: Property<PanelName> = {
  initial: "accuracy",
  read: (value) => (isPanel(value) ? value : undefined),
  write: (value) => value,
};

/**
 * Every property that a link carries; anything else in an address is ignored. What is bound is read
 * and written by itself; the others say what to load, which takes a while.
 */
const PROPERTIES = {
  /** Preset to load, by name. */
  preset: text(),
  /** Seed of that preset; null: its own. */
  seed: integer<number | null>(null, 0, 2 ** 53 - 1),
  /** Spec to load, as `encodeSpec` writes it; wins over `preset`. */
  spec: text(),
  /** Run whose spec to load, without the run. */
  like: runName,
  /** Playback step; null: where playback would be. */
  step: integer<number | null>(null, 0, 1e9),
  /** Playback speed in steps a second; 0: as fast as the run computes. */
  speed: bound(integer(0, 0, 1e6), speed),
  /** What the charts' x axes count. */
  x: bound(choice(["step", "seconds"], "step"), chartSettings.x),
  xaxis: bound(choice(["linear", "log"], "linear"), chartSettings.xAxis),
  /** Overrides each chart's own y axis; `auto` leaves it. */
  yaxis: bound(fitting(choice(["linear", "log"], "linear")), chartSettings.yAxis),
  /** Width of the smoothing in logged points; 0: each chart's own. */
  smooth: bound(integer(0, 0, 10_000), chartSettings.smoothing),
  /** Metric and scale of single charts. */
  charts: boundBy(
    list(chartChoice),
    () =>
      Object.entries(chartChoices.value).filter(
        ([, { metric, log }]) => metric !== null || log !== null,
      ),
    (chosen) => {
      chartChoices.value = Object.fromEntries(chosen);
    },
  ),
  /** Gradient norms that count as vanishing and exploding, as powers of ten. */
  vanishing: bound(integer<number | null>(null, -12, 0), vanishing),
  exploding: bound(integer<number | null>(null, 0, 12), exploding),
  /** The plane of the landscapes, and how they draw. */
  plane: bound(
    fitting(choice(["run", "trajectory", "principal", "filter_normalised", "arms"], "run")),
    landscapeSettings.plane,
  ),
  points: bound(points, landscapeSettings.points),
  shape: bound(either("surface", "contour", false), landscapeSettings.surface),
  height: bound(either("log", "linear", true), landscapeSettings.log),
  shading: bound(either("shared", "own", true), landscapeSettings.shared),
  /** Runs laid over this one. */
  with: list(runName),
  /** Runs of other seeds: the charts show the mean over them and the page's own. */
  seeds: list(runName),
  /** What a frame or a file shows: these panels alone, and the arm that stands out. */
  panel: bound(list(panelName), shownPanels),
  arm: bound(integer<number | null>(null, 0, 15), chosenArm),
  /** Colour of each arm. */
  colours: bound(list(colour), chosenColours),
  /** Links say nothing of it: it is the reader's, who may have chosen it before. A frame's is its own. */
  theme: boundBy(
    choice(["system", "light", "dark"], "system"),
    () => (embedded.value ? theme.value : "system"),
    (chosen) => {
      if (chosen !== "system") theme.value = chosen;
    },
  ),
  /** Larger type and no controls, for a projector. */
  present: bound(flag(), presenting),
};

export type AddressState = StateOf<typeof PROPERTIES>;

/** The state in an address's query; defaults for what it leaves out or gets wrong. */
export function readAddress(search: string): AddressState {
  return readQuery(PROPERTIES, search);
}

/** The query of a state, defaults left out: "" or "?...". */
export function writeAddress(state: Partial<AddressState>): string {
  return writeQuery(PROPERTIES, state);
}

/** Shows what an address says of how the page looks, whatever it shows. */
export function applyView(search: string): void {
  setBound(PROPERTIES, readAddress(search));
}

/** Shows a lesson's scene: its view and its spec. A run of this spec that is on the page stays. */
export function applyScene(spec: Spec, search: string): void {
  batch(() => {
    const presents = presenting.peek(); // the teacher's choice: no scene's
    applyView(search);
    presenting.value ||= presents;
    loadDraft(spec);
    if (isEdited.peek()) leave();
  });
}

/** Loads what the address names: a run, a spec, a preset, or the default preset. */
async function applyAddress(known: Catalog, path: string, search: string): Promise<void> {
  const state = readAddress(search);
  setBound(PROPERTIES, state);
  const id = runIdOf(path);
  if (id === null) {
    leave();
    const own = specOf(known, state);
    loadDraft(own ?? defaultSpec(known));
    if (own === null && state.like !== "") await loadSpecOf(state.like);
    return;
  }
  if (runId.peek() === id) {
    if (state.step !== null) goTo(state.step);
    if (state.seeds.length === 0) leaveSeeds();
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
  if (state.seeds.length > 0) await openSeeds(state.seeds);
}

function specOf(known: Catalog, state: AddressState): Spec | null {
  if (state.spec !== "") {
    const spec = decodeSpec(known.schema, state.spec);
    if (spec !== null) return spec as Spec;
    failure.value = { message: "The settings in this link cannot be read.", retry: null };
  }
  const preset = known.presets.find((candidate) => candidate.name === state.preset);
  if (preset === undefined) return null;
  const spec = presetSpec(known, preset);
  return state.seed === null ? spec : { ...spec, seed: state.seed };
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
  const state = getBound(PROPERTIES);
  state.with = overlays.value.map((overlay) => overlay.id);
  state.seeds = seedRuns.value.map(({ log }) => log.value.id);
  const preset = presetOfDraft.value;
  const itself = draft.value === null ? null : presetItself(draft.value);
  const isDefault = itself !== null && itself === catalog.value?.presets[0];
  if (!hasRun.value || isEdited.value) {
    if (preset === null) state.spec = specText.value;
    else if (hasRun.value || !isDefault) state.preset = preset.name;
    if (preset !== null && itself === null) state.seed = draft.value?.seed ?? null;
  }
  // A reload of a live run that plays goes on at its head; everything else comes back to its step.
  if (hasRun.value && !isLive.value) state.step = cursor.value;
  return hrefOf({ path: hasRun.value ? `runs/${runId.value}` : "", search: writeAddress(state) });
});

/** Whether a path is one of this page's. */
function isHere(path: string): boolean {
  return path === "" || runIdOf(path) !== null;
}

/** Connects the address and the page. */
export function startAddress(): void {
  let isLoading = false;
  effect(() => {
    const known = catalog.value;
    const { path, search } = place.value;
    if (known === null || !isHere(path)) return;
    untracked(() => {
      isLoading = true;
      void applyAddress(known, path, search).finally(() => {
        isLoading = false;
      });
    });
  });
  keepWritten(
    () => (isHere(place.value.path) && draft.value !== null ? currentAddress.value : null),
    {
      isLoading: () => isLoading,
      isGone: (address) => isDiscarded(runIdOf(placeOf(address, document.baseURI).path) ?? ""),
    },
  );
}

/** The page for comparing arms with what it shows now. */
export function comparePlace(): Place {
  return placeOf(new URL(currentAddress.peek(), document.baseURI).href, document.baseURI);
}
