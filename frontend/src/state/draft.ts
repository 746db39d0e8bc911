/** The spec in the controls: what the next run will be. */

import { batch, computed, signal } from "@preact/signals";
import type { FieldProblem } from "../api/client";
import type { Catalog, Preset, Spec } from "../api/types";
import { type ArmStyle, armStyles } from "./arms";
import { armLabels, distinctArms, editSpec, equivalent } from "./edit";
import { complete, type Path } from "./schema";
import { chosenColours, runSpec } from "./signals";

/** What can be chosen; null until the server has said it. */
export const catalog = signal<Catalog | null>(null);

/** The spec in the controls; null until there is a catalog. */
export const draft = signal<Spec | null>(null);

/** What the server refused, by field; an edit of the field clears it. */
export const problems = signal<readonly FieldProblem[]>([]);

/** What is typed in a field and cannot be used, in words, by the field's title. */
export const unusable = signal<ReadonlyMap<string, string>>(new Map());

/** Notes what is wrong with what a field holds; null: nothing. `id` tells fields of a name apart. */
export function noteUnusable(id: string, words: string | null): void {
  const now = unusable.peek();
  if ((now.get(id) ?? null) === words) return;
  const next = new Map(now);
  if (words === null) next.delete(id);
  else next.set(id, words);
  unusable.value = next;
}

export const draftStyles = computed<ArmStyle[]>(() =>
  armStyles(draft.value?.arms ?? [], chosenColours.value),
);

export const draftLabels = computed<string[]>(() => armLabels(draft.value?.arms ?? []));

/** The preset that the draft is, whatever its seed; null: it is none. */
export const presetOfDraft = computed<Preset | null>(() => presetOf(draft.value));

/** The preset that a spec is, whatever its seed. */
export function presetOf(spec: Spec | null): Preset | null {
  const known = catalog.value;
  if (known === null || spec === null) return null;
  const same = (preset: Preset) =>
    equivalent({ ...presetSpec(known, preset), seed: spec.seed }, spec);
  return known.presets.find(same) ?? null;
}

/** The preset that a spec is with the preset's own seed; null: it is none. */
export function presetItself(spec: Spec): Preset | null {
  const known = catalog.value;
  const preset = presetOf(spec);
  return known !== null && preset !== null && presetSpec(known, preset).seed === spec.seed
    ? preset
    : null;
}

/** What was measured over seeds of the run with this spec; null: it is no preset's, or nothing was. */
export function expectationOf(spec: Spec | null): Preset["expect"] | null {
  const expect = presetOf(spec)?.expect ?? null;
  return expect !== null && expect.seeds > 0 ? expect : null;
}

/** Whether the controls say something else than the run on the page. */
export const isEdited = computed(() => {
  const shown = runSpec.value;
  return shown !== null && draft.value !== null && !equivalent(completed(shown), draft.value);
});

/** A preset's complete spec. */
export function presetSpec(known: Catalog, preset: Preset): Spec {
  return complete(known.schema, known.schema, preset.spec) as Spec;
}

/** A spec with the settings that it does not say, which the runs of an earlier version do not. */
export function completed(spec: Spec): Spec {
  const known = catalog.value;
  return known === null ? spec : (complete(known.schema, known.schema, spec) as Spec);
}

/** Sets one field of the draft. */
export function edit(path: Path, value: unknown): void {
  const known = catalog.value;
  const spec = draft.value;
  if (known === null || spec === null) return;
  batch(() => {
    draft.value = editSpec(known, spec, path, value);
    problems.value = problems.value.filter((problem) => !startsWith(problem.path, path));
  });
}

/** Puts another spec into the controls. */
export function loadDraft(spec: Spec): void {
  batch(() => {
    const whole = completed(spec);
    draft.value = { ...whole, arms: distinctArms(whole.arms) };
    problems.value = [];
  });
}

export function editArms(change: (spec: Spec) => Spec): void {
  if (draft.value !== null) loadDraft(change(draft.value));
}

/** The server's words about a field; those about what contains it are shown there. */
export function problemsAt(path: Path): string[] {
  return problems.value
    .filter((problem) => problem.path.length === path.length && startsWith(problem.path, path))
    .map((problem) => problem.message);
}

/** Whether a problem lies within `path`: a fold that hides it must open. */
export function hasProblemWithin(path: Path): boolean {
  return problems.value.some((problem) => startsWith(problem.path, path));
}

function startsWith(path: Path, prefix: Path): boolean {
  return prefix.every((key, index) => String(path[index]) === String(key));
}
