import { describe, expect, it } from "vitest";
import { complete, fieldsOf, getPath, isUsed, type JsonSchema, setPath } from "./schema";

/** The shapes that Pydantic writes, one of each. */
const root: JsonSchema = {
  type: "object",
  $defs: {
    Soft: {
      type: "object",
      description: "A soft one.",
      properties: {
        name: { const: "soft", default: "soft", type: "string" },
        temperature: {
          type: "number",
          exclusiveMinimum: 0,
          maximum: 100,
          default: 1,
          scale: "log",
          title: "Temperature",
          description: "How soft.",
          unit: "scores",
        },
      },
    },
    Net: {
      type: "object",
      properties: {
        name: { const: "net", default: "net" },
        layers: { type: "integer", minimum: 1, maximum: 6, default: 3 },
        kind: { enum: ["bitonic", "odd_even"], default: "odd_even" },
      },
    },
    Arm: {
      type: "object",
      properties: {
        label: { type: "string", default: "", maxLength: 40 },
        milestones: { type: "array", items: { type: "integer" }, default: [], maxItems: 20 },
        loss: {
          anyOf: [{ oneOf: [{ $ref: "#/$defs/Soft" }, { $ref: "#/$defs/Net" }] }, { type: "null" }],
          default: null,
        },
      },
    },
  },
  properties: {
    loss: { oneOf: [{ $ref: "#/$defs/Soft" }, { $ref: "#/$defs/Net" }], title: "Loss" },
    single: { $ref: "#/$defs/Soft", default: { name: "soft", temperature: 2 }, title: "Own words" },
    arms: { type: "array", items: { $ref: "#/$defs/Arm" } },
    every: { anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }], default: null },
    fast: { type: "boolean", default: false },
  },
};

describe("fieldsOf", () => {
  const fields = fieldsOf(root, root);

  it("reads every kind of field that has a control", () => {
    expect(fields.map((field) => [field.key, field.kind])).toEqual([
      ["loss", "variant"],
      ["single", "variant"],
      ["every", "number"],
      ["fast", "boolean"],
    ]);
    expect(
      fieldsOf(root, { $ref: "#/$defs/Arm" }, ["arms", 0]).map((f) => [f.path, f.kind]),
    ).toEqual([
      [["arms", 0, "label"], "text"],
      [["arms", 0, "milestones"], "numbers"],
      [["arms", 0, "loss"], "variant"],
    ]);
  });

  it("keeps bounds, unit, scale and words", () => {
    expect(fieldsOf(root, { $ref: "#/$defs/Soft" }, ["loss"])).toEqual([
      {
        key: "temperature",
        path: ["loss", "temperature"],
        kind: "number",
        title: "Temperature",
        description: "How soft.",
        unit: "scores",
        usedIf: {},
        nullable: false,
        default: 1,
        integer: false,
        scale: "log",
        min: 0,
        max: 100,
        minExclusive: true,
        maxExclusive: false,
      },
    ]);
  });

  it("leaves out a unit that the title says already", () => {
    const steps = (title: string): JsonSchema => ({
      properties: { steps: { type: "integer", title, unit: "steps" } },
    });
    expect(fieldsOf({}, steps("Test steps"))[0]?.unit).toBe("");
    expect(fieldsOf({}, steps("Log every"))[0]?.unit).toBe("steps");
  });

  it("prefers a property's own words over those of what it refers to", () => {
    expect(fields[1]).toMatchObject({ title: "Own words", description: "A soft one." });
    expect(fields[2]).toMatchObject({ nullable: true, default: null, title: "Every" });
  });
});

describe("complete", () => {
  it("fills in defaults at every depth and keeps what is given", () => {
    expect(
      complete(root, root, { loss: { name: "net", layers: 2 }, arms: [{ label: "a" }] }),
    ).toEqual({
      loss: { name: "net", layers: 2, kind: "odd_even" },
      single: { name: "soft", temperature: 2 },
      arms: [{ label: "a", milestones: [], loss: null }],
      every: null,
      fast: false,
    });
  });

  it("completes a record that is nullable once it is given", () => {
    const arm = complete(root, { $ref: "#/$defs/Arm" }, { loss: { name: "soft" } });
    expect(getPath(arm, ["loss", "temperature"])).toBe(1);
  });

  it("takes the name of a variant for the variant", () => {
    expect(complete(root, root, { loss: "net", arms: [] })).toMatchObject({
      loss: { name: "net", kind: "odd_even" },
    });
  });

  it("keeps what it does not know, for the server to refuse", () => {
    expect(complete(root, { $ref: "#/$defs/Soft" }, { colour: 1 })).toMatchObject({ colour: 1 });
  });
});

describe("setPath", () => {
  it("changes one place and shares the rest", () => {
    const before = { a: [{ b: 1 }, { b: 2 }], c: { d: 3 } };
    const after = setPath(before, ["a", 1, "b"], 9);
    expect(after).toEqual({ a: [{ b: 1 }, { b: 9 }], c: { d: 3 } });
    expect(before.a[1]).toEqual({ b: 2 });
    expect(after.c).toBe(before.c);
    expect(after.a[0]).toBe(before.a[0]);
  });
});

describe("isUsed", () => {
  it("hides what has no effect beside the other values", () => {
    const usedIf = { curvature: ["none"], gradient: ["clip"] };
    expect(isUsed({ usedIf: {} }, {})).toBe(true);
    expect(isUsed({ usedIf }, { curvature: "none", gradient: "clip" })).toBe(true);
    expect(isUsed({ usedIf }, { curvature: "fisher", gradient: "clip" })).toBe(false);
    expect(isUsed({ usedIf }, { curvature: "none", gradient: "plain" })).toBe(false);
  });
});
