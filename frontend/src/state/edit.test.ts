import { describe, expect, it } from "vitest";
import { arm, spec } from "../../tests/logs";
import type { ArmSpec, Named } from "../api/types";
import {
  addArm,
  armLabels,
  defaultLabel,
  distinctArms,
  editSpec,
  equivalent,
  isWhatIf,
  refines,
  removeArm,
  settingsAt,
  switchVariant,
  whatIf,
} from "./edit";
import type { JsonSchema, VariantField } from "./schema";

const NEWTON = { curvature: ["hessian", "fisher"] };
const armSchema = {
  properties: {
    label: { type: "string", default: "" },
    curvature: { enum: ["none", "hessian", "fisher"], default: "none" },
    tikhonov: {
      type: "number",
      default: 0.1,
      used_if: { curvature: ["hessian", "fisher", "ggn"] },
    },
    tikhonov_rule: { enum: ["fixed", "relative"], default: "fixed", used_if: NEWTON },
    hessian: { enum: ["batch_mean"], default: "batch_mean" },
    definiteness: {
      enum: ["raw", "clip"],
      default: "raw",
      used_if: { curvature: ["hessian"] },
    },
    component: { enum: ["full", "length"], default: "full", used_if: NEWTON },
    component_of: {
      enum: ["batch", "sample"],
      default: "batch",
      used_if: { ...NEWTON, component: ["length"] },
    },
    optimizer: { enum: ["adam", "sgd"], default: "adam" },
    lr: { type: "number", default: 1e-3 },
    momentum: { type: "number", default: 0 },
    lr_milestones: { type: "array", items: { type: "integer" }, default: [] },
    gradient: { enum: ["plain", "clip"], default: "plain", used_if: { curvature: ["none"] } },
    clip_norm: { type: "number", default: 0.1, used_if: { gradient: ["clip"] } },
    loss: { anyOf: [{ type: "object" }, { type: "null" }], default: null },
  },
};

const loss = (name: string, temperature: number) => ({
  properties: { name: { const: name }, temperature: { type: "number", default: temperature } },
});

const schema: JsonSchema = {
  properties: {
    loss: {
      oneOf: [loss("neuralsort", 1), { properties: { name: { const: "cross_entropy" } } }],
    },
    arms: { type: "array", items: armSchema },
  },
};

const words = { description: "", parameters: {} };
const catalog = {
  tasks: [
    { ...words, name: "ranking", primary_metric: "", target_kinds: ["permutation"] },
    { ...words, name: "classification", primary_metric: "", target_kinds: ["class", "value"] },
  ],
  losses: [
    { ...words, name: "neuralsort", target_kind: "permutation", target_kinds: ["permutation"] },
    { ...words, name: "cross_entropy", target_kind: "class", target_kinds: ["class"] },
  ],
  schema,
};

describe("armLabels", () => {
  it("names and numbers arms without a label as the server does", () => {
    const fisher = arm("", { curvature: "fisher" });
    expect(armLabels([arm(""), fisher, fisher, arm("Fisher 2")])).toEqual([
      "Vanilla",
      "Fisher",
      "Fisher 3",
      "Fisher 2",
    ]);
  });
});

describe("distinctArms", () => {
  const labels = (...given: string[]) =>
    distinctArms(given.map((label) => arm(label))).map((each) => each.label);

  it("numbers labels that an earlier version took twice, and leaves the others alone", () => {
    expect(labels("A", "B", "B", "B")).toEqual(["A", "B", "B 2", "B 3"]);
    expect(labels("A", "", "")).toEqual(["A", "", ""]);
  });
});

describe("editSpec", () => {
  it("takes a loss that fits when the task changes", () => {
    const edited = editSpec(catalog, spec(), ["task"], { name: "classification" });
    expect(edited.loss.name).toBe("cross_entropy");
    expect(editSpec(catalog, spec(), ["task", "n"], 7).loss.name).toBe("neuralsort");
  });

  it("drops a control that curvature excludes, and renames an arm that had its kind's name", () => {
    const before = spec({ arms: [arm("Clipped", { gradient: "clip" }), arm("Mine")] });
    const edited = editSpec(catalog, before, ["arms", 0, "curvature"], "fisher");
    expect(edited.arms[0]).toMatchObject({ gradient: "plain", label: "" });
    expect(editSpec(catalog, before, ["arms", 1, "curvature"], "fisher").arms[1]?.label).toBe(
      "Mine",
    );
  });

  it("names an arm by its component, which goes with the curvature", () => {
    const before = spec({ arms: [arm("Fisher", { curvature: "fisher" })] });
    const edited = editSpec(catalog, before, ["arms", 0, "component"], "length");
    expect(edited.arms[0]).toMatchObject({ component: "length", label: "" });
    const each = editSpec(catalog, edited, ["arms", 0, "component_of"], "sample");
    const kinds = [edited, each].map(({ arms }) => defaultLabel(arms[0] as ArmSpec));
    expect(kinds).toEqual(["Fisher's length", "Fisher's length, each sample"]);
    const plain = editSpec(catalog, each, ["arms", 0, "curvature"], "none");
    expect(plain.arms[0]).toMatchObject({ component: "full", component_of: "batch" });
  });

  it("puts choices without effect back, by the schema, and keeps numbers", () => {
    const clipped = arm("", { curvature: "hessian", definiteness: "clip", tikhonov: 7 });
    const fisher = editSpec(catalog, spec({ arms: [clipped] }), ["arms", 0, "curvature"], "fisher");
    expect(fisher.arms[0]).toMatchObject({ definiteness: "raw", tikhonov: 7 });
    const plain = editSpec(catalog, fisher, ["arms", 0, "curvature"], "none");
    expect(plain.arms[0]?.tikhonov).toBe(7);
  });

  it("drops changes of what is set for the whole run, and no others", () => {
    const both = whatIf(whatIf(spec(), 2, 40, { tikhonov: 0.01, lr: 0.5 }), 1, 50, { lr: 0.1 });
    const edited = editSpec(catalog, both, ["arms", 2, "tikhonov"], 5);
    expect(edited.arms[2]?.tikhonov).toBe(5);
    expect(edited.changes).toEqual([
      { step: 40, arm: 2, tikhonov: null, lr: 0.5 },
      { step: 50, arm: 1, tikhonov: null, lr: 0.1 },
    ]);
  });

  it("drops changes of λ with the curvature that it damps", () => {
    const asked = whatIf(spec(), 2, 40, { tikhonov: 0.01, lr: 0.5 });
    const edited = editSpec(catalog, asked, ["arms", 2, "curvature"], "none");
    expect(edited.changes).toEqual([{ step: 40, arm: 2, tikhonov: null, lr: 0.5 }]);
  });

  it("drops changes beyond the end", () => {
    const before = spec({ changes: [{ step: 50, arm: 0, tikhonov: null, lr: 1 }] });
    expect(editSpec(catalog, before, ["steps"], 50).changes).toEqual([]);
  });
});

describe("switchVariant", () => {
  it("keeps what both variants have", () => {
    const field: Pick<VariantField, "title" | "variants"> = {
      title: "Loss",
      variants: [
        { name: "a", description: "", schema: loss("a", 1) },
        { name: "b", description: "", schema: { properties: { name: { const: "b" } } } },
      ],
    };
    const before: Named = { name: "x", temperature: 0.3, sigma: 2 };
    expect(switchVariant({}, field, "a", before)).toEqual({ name: "a", temperature: 0.3 });
    expect(switchVariant({}, field, "b", before)).toEqual({ name: "b" });
    expect(switchVariant({}, field, "a", null)).toEqual({ name: "a", temperature: 1 });
  });
});

describe("arms", () => {
  it("adds the kind that is missing, with the last arm's optimiser", () => {
    const before = spec({ arms: [arm("Vanilla", { optimizer: "sgd", lr: 0.5 })] });
    const edited = addArm(catalog, before);
    expect(edited.arms[1]).toMatchObject({ curvature: "hessian", optimizer: "sgd", lr: 0.5 });
    expect(before.arms.length).toBe(1);
  });

  it("removes an arm with its changes and moves those of later arms", () => {
    const change = (index: number) => ({ step: 1, arm: index, tikhonov: null, lr: 1 });
    const edited = removeArm(spec({ changes: [change(0), change(1), change(2)] }), 1);
    expect(edited.arms.map((a) => a.label)).toEqual(["Vanilla", "Fisher"]);
    expect(edited.changes.map((c) => c.arm)).toEqual([0, 1]);
  });
});

describe("whatIf", () => {
  it("adds a change, which holds from its step on", () => {
    const forked = whatIf(spec(), 2, 40, { tikhonov: 0.01 });
    expect(forked.changes).toEqual([{ step: 40, arm: 2, tikhonov: 0.01, lr: null }]);
    expect(settingsAt(forked, 2, 39).tikhonov).toBe(0.1);
    expect(settingsAt(forked, 2, 40).tikhonov).toBe(0.01);
    const twins = spec({ arms: [arm("B"), arm("B"), arm("C", { curvature: "fisher" })] });
    const fork = whatIf(twins, 2, 40, { tikhonov: 0.01 });
    expect(fork.arms.map((each) => each.label)).toEqual(["B", "B 2", "C"]);
    expect(isWhatIf(twins, fork)).toBe(true);
  });

  it("merges with a change at the same step and replaces later ones of the same setting", () => {
    const before = spec({
      changes: [
        { step: 10, arm: 2, tikhonov: 5, lr: null },
        { step: 40, arm: 2, tikhonov: null, lr: 0.5 },
        { step: 60, arm: 1, tikhonov: 7, lr: null },
        { step: 60, arm: 2, tikhonov: 7, lr: 0.1 },
        { step: 80, arm: 2, tikhonov: 9, lr: null },
      ],
    });
    expect(whatIf(before, 2, 40, { tikhonov: 0.01 }).changes).toEqual([
      { step: 10, arm: 2, tikhonov: 5, lr: null },
      { step: 40, arm: 2, tikhonov: 0.01, lr: 0.5 },
      { step: 60, arm: 1, tikhonov: 7, lr: null },
      { step: 60, arm: 2, tikhonov: null, lr: 0.1 },
    ]);
  });
});

describe("a what-if and its parent", () => {
  it("differ by changes alone", () => {
    const asked = whatIf(spec(), 2, 40, { tikhonov: 0.01 });
    expect(isWhatIf(spec(), asked)).toBe(true);
    expect(isWhatIf(asked, asked)).toBe(false);
    expect(isWhatIf(spec(), { ...asked, seed: 7 })).toBe(false);
  });

  it("ask the same question again, or another", () => {
    const asked = whatIf(spec(), 2, 40, { tikhonov: 0.01 });
    expect(refines(spec(), asked)).toBe(false);
    expect(refines(asked, whatIf(asked, 2, 40, { tikhonov: 0.1 }))).toBe(true);
    expect(refines(asked, whatIf(asked, 2, 60, { tikhonov: 0.1 }))).toBe(false);
    const both = whatIf(spec(), 2, 40, { tikhonov: 0.01, lr: 0.5 });
    expect(refines(both, whatIf(both, 2, 10, { tikhonov: 3 }))).toBe(false); // λ goes at step 40
  });
});

describe("equivalent", () => {
  it("sees through what the server fills in", () => {
    const draft = spec({ evaluate_every: null, arms: [arm("")] });
    expect(equivalent(draft, spec({ evaluate_every: 25, arms: [arm("Vanilla")] }))).toBe(true);
    expect(equivalent(draft, spec({ evaluate_every: 25, arms: [arm("Other")] }))).toBe(false);
    expect(equivalent(spec({ evaluate_every: 10 }), spec({ evaluate_every: 25 }))).toBe(false);
    expect(equivalent(spec(), spec({ seed: 1 }))).toBe(false);
  });
});
