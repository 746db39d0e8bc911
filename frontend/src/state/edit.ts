/** What may be done to a spec by hand, and what each arm makes use of. Pure. */

import type { ArmSpec, Catalog, Change, Named, Spec } from "../api/types";
import { same } from "./address/specText";
import { optionLabel } from "./labels";
import {
  complete,
  fieldsOf,
  getPath,
  isUsed,
  type JsonSchema,
  type Path,
  resolve,
  setPath,
  type VariantField,
} from "./schema";

/** What of the catalog says what fits together. */
type Choices = Pick<Catalog, "tasks" | "losses" | "schema">;

const KINDS: readonly (keyof Kind)[] = ["curvature", "gradient", "component", "component_of"];

type Kind = Pick<ArmSpec, "curvature" | "gradient" | "component" | "component_of">;

/** The name that an arm without a label of its own goes by. */
export function defaultLabel(arm: Kind): string {
  if (arm.curvature === "none") return optionLabel("arm", arm.gradient);
  if (isFull(arm)) return optionLabel("arm", arm.curvature);
  const each = arm.component_of === "sample" ? "_sample" : "";
  return optionLabel("arm", `${arm.curvature}_${arm.component}${each}`);
}

/** Whether an arm takes a Newton step in output space. */
export function takesNewtonStep(arm: Pick<ArmSpec, "curvature">): boolean {
  return arm.curvature === "hessian" || arm.curvature === "fisher";
}

/** Whether an arm takes the whole step; runs of earlier versions do not say it. */
function isFull(arm: Partial<Kind>): boolean {
  return (arm.component ?? "full") === "full";
}

/** The arms' names, numbered where two without a label would be the same. */
export function armLabels(arms: readonly ArmSpec[]): string[] {
  const taken = new Set(arms.map((arm) => arm.label).filter((label) => label !== ""));
  return arms.map((arm) => {
    if (arm.label !== "") return arm.label;
    let label = defaultLabel(arm);
    for (let count = 2; taken.has(label); count++) label = `${defaultLabel(arm)} ${count}`;
    taken.add(label);
    return label;
  });
}

/** The arms of a run of an earlier version, which may share a label: later ones are numbered. */
export function distinctArms(arms: readonly ArmSpec[]): ArmSpec[] {
  const taken = new Set<string>();
  return arms.map((arm) => {
    let label = arm.label;
    for (let count = 2; taken.has(label); count++) label = `${arm.label} ${count}`;
    if (label !== "") taken.add(label);
    return label === arm.label ? arm : { ...arm, label };
  });
}

/** What an arm trains with, in a few words: "λ 0.1, adam 1e-3". */
export function summariseArm(arm: ArmSpec): string {
  const words = [`${arm.optimizer} ${arm.lr}`];
  if (arm.curvature === "hessian") {
    if (arm.definiteness !== "raw") words.unshift(arm.definiteness.replace("_", "-"));
    if (arm.hessian === "per_sample") words.unshift("per sample");
  }
  if (arm.curvature === "none" && arm.gradient === "clip") words.unshift(`at ${arm.clip_norm}`);
  if (arm.loss !== null) words.push("own loss");
  return words.join(", ");
}

/** A spec with one setting changed, and with it what could not stay. */
export function editSpec(catalog: Choices, spec: Spec, path: Path, value: unknown): Spec {
  const edited = setPath(spec, path, value);
  const [root, index, key] = path;
  if (root === "task") return { ...edited, loss: fittingLoss(catalog, edited) };
  if (root === "arms" && typeof index === "number") {
    const before = spec.arms[index];
    if (KINDS.includes(key as keyof Kind)) {
      const arm = edited.arms[index] as ArmSpec;
      const hadDefault = before !== undefined && before.label === defaultLabel(before);
      const named = { ...arm, label: hadDefault ? "" : arm.label };
      const { used, idle } = settle(catalog, named);
      // Without a matrix there is no λ that could change.
      const { changes } = edited;
      return {
        ...setPath(edited, ["arms", index], used),
        changes: idle.has("tikhonov") ? withoutChanges(changes, index, "tikhonov") : changes,
      };
    }
    // What is set for the whole run is not changed in the middle of it.
    if (key === "tikhonov" || key === "lr") {
      return { ...edited, changes: withoutChanges(edited.changes, index, key) };
    }
  }
  if (root === "steps")
    return { ...edited, changes: edited.changes.filter((c) => c.step < edited.steps) };
  return edited;
}

/**
 * Puts an arm's choices that have no effect, by the schema's `used_if`, back to their defaults, and
 * names all its fields that have none. Numbers stay as they are, because the reader may switch the
 * choice back that uses them.
 */
function settle({ schema }: Choices, arm: ArmSpec): { used: ArmSpec; idle: Set<string> } {
  const fields = fieldsOf(schema, schema.properties?.arms?.items ?? {});
  const idle = new Set<string>();
  let used = arm;
  for (let before: ArmSpec | null = null; before !== used; ) {
    before = used;
    for (const field of fields) {
      if (isUsed(field, used)) continue;
      idle.add(field.key);
      const { key, kind, default: usual } = field;
      if (kind === "choice" && getPath(used, [key]) !== usual) used = setPath(used, [key], usual);
    }
  }
  return { used, idle };
}

/** The changes without those of one setting of one arm: all of them, or the one at a step. */
export function withoutChanges(
  changes: readonly Change[],
  arm: number,
  key: "tikhonov" | "lr",
  step: number | null = null,
): Change[] {
  const goes = (change: Change): boolean =>
    change.arm === arm && (step === null || change.step === step);
  return changes
    .map((change) => (goes(change) ? { ...change, [key]: null } : change))
    .filter((change) => change.tikhonov !== null || change.lr !== null);
}

/** The names of the losses that can be trained on a task. */
export function fittingLosses(catalog: Choices, task: string): string[] {
  const kinds = catalog.tasks.find((entry) => entry.name === task)?.target_kinds ?? [];
  return catalog.losses
    .filter((loss) => loss.target_kinds.some((kind) => kinds.includes(kind)))
    .map((loss) => loss.name);
}

function fittingLoss(catalog: Choices, spec: Spec): Named {
  const fitting = fittingLosses(catalog, spec.task.name);
  if (fitting.length === 0 || fitting.includes(spec.loss.name)) return spec.loss;
  const node = catalog.schema.properties?.loss ?? {};
  return complete(catalog.schema, node, { name: fitting[0] }) as Named;
}

/** The record of another variant of a union: its defaults, and what it shares with the one before. */
export function switchVariant(
  root: JsonSchema,
  field: Pick<VariantField, "title" | "variants">,
  name: string,
  before: Named | null,
): Named {
  const variant = field.variants.find((candidate) => candidate.name === name);
  if (variant === undefined) throw new Error(`${field.title} has no variant "${name}"`);
  const properties = resolve(root, variant.schema).properties ?? {};
  const shared = Object.entries(before ?? {}).filter(
    ([key]) => key !== "name" && key in properties,
  );
  return complete(root, variant.schema, { ...Object.fromEntries(shared), name }) as Named;
}

/** The spec with one more arm: a copy of the last one's optimiser, of a kind that is not there yet. */
export function addArm(catalog: Choices, spec: Spec): Spec {
  const item = catalog.schema.properties?.arms?.items ?? {};
  const present = new Set(spec.arms.map((arm) => arm.curvature));
  const curvature = (["hessian", "fisher", "none"] as const).find((kind) => !present.has(kind));
  const last = spec.arms.at(-1);
  const arm = complete(catalog.schema, item, {
    curvature: curvature ?? "fisher",
    ...(last && { optimizer: last.optimizer, lr: last.lr, momentum: last.momentum }),
  }) as ArmSpec;
  return { ...spec, arms: [...spec.arms, { ...arm, label: "" }] };
}

/** The spec without one arm; changes of later arms follow them. */
export function removeArm(spec: Spec, index: number): Spec {
  const changes = spec.changes
    .filter((change) => change.arm !== index)
    .map((change) => (change.arm > index ? { ...change, arm: change.arm - 1 } : change));
  return { ...spec, arms: spec.arms.filter((_, at) => at !== index), changes };
}

/** What an arm trains with after `step`, changes up to there applied (milestones apart). */
export function settingsAt(
  spec: Spec,
  arm: number,
  step: number,
): { tikhonov: number; lr: number } {
  const own = spec.arms[arm] as ArmSpec;
  const settings = { tikhonov: own.tikhonov, lr: own.lr };
  for (const change of spec.changes) {
    if (change.arm !== arm || change.step > step) continue;
    settings.tikhonov = change.tikhonov ?? settings.tikhonov;
    settings.lr = change.lr ?? settings.lr;
  }
  return settings;
}

/**
 * The spec that differs from `spec` by one setting of one arm from `step` on. Later changes of the
 * same setting go: the new value holds from here.
 */
export function whatIf(
  spec: Spec,
  arm: number,
  step: number,
  setting: { tikhonov?: number; lr?: number },
): Spec {
  const at: Change = { step, arm, tikhonov: null, lr: null };
  const kept: Change[] = [];
  for (const change of spec.changes) {
    if (change.arm !== arm || change.step < step) {
      kept.push(change);
      continue;
    }
    const rest = {
      ...change,
      tikhonov: setting.tikhonov === undefined ? change.tikhonov : null,
      lr: setting.lr === undefined ? change.lr : null,
    };
    if (change.step === step) {
      at.tikhonov = rest.tikhonov;
      at.lr = rest.lr;
    } else if (rest.tikhonov !== null || rest.lr !== null) {
      kept.push(rest);
    }
  }
  kept.push({ ...at, ...setting });
  kept.sort((a, b) => a.step - b.step || a.arm - b.arm);
  return { ...spec, arms: distinctArms(spec.arms), changes: kept };
}

/** Whether `child` is `parent` with other changes in the middle of the run. */
export function isWhatIf(parent: Spec, child: Spec): boolean {
  const fixed = (spec: Spec): Spec => ({ ...spec, changes: [] });
  return equivalent(fixed(parent), fixed(child)) && !same(parent.changes, child.changes);
}

/** Whether a what-if asks its parent's own question again, with another value. */
export function refines(parent: Spec, child: Spec): boolean {
  return child.changes.some((change) => {
    const before = parent.changes.find(
      (other) => other.step === change.step && other.arm === change.arm,
    );
    if (before === undefined) return false;
    return (["tikhonov", "lr"] as const).some(
      (key) => change[key] !== null && change[key] !== before[key],
    );
  });
}

/** Whether two specs train the same, what the server fills in by itself aside. */
export function equivalent(a: Spec, b: Spec): boolean {
  const every = a.evaluate_every === null || b.evaluate_every === null;
  const plain = (spec: Spec) => ({
    ...spec,
    arms: distinctArms(
      spec.arms.map((arm, index) => ({ ...arm, label: armLabels(spec.arms)[index] ?? "" })),
    ),
    evaluate_every: every ? null : spec.evaluate_every,
  });
  return same(plain(a), plain(b));
}
