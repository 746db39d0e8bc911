import { describe, expect, it } from "vitest";
import { complete, type JsonSchema } from "../schema";
import { decodeSpec, encodeSpec, same } from "./specText";

const schema: JsonSchema = {
  $defs: {
    A: {
      properties: {
        name: { const: "a" },
        t: { type: "number", default: 1 },
        hidden: { type: "array", items: { type: "integer" }, default: [128, 64] },
      },
    },
    B: { properties: { name: { const: "b" }, t: { type: "number", default: 5 } } },
    Arm: {
      properties: {
        label: { type: "string", default: "" },
        tikhonov: { type: "number", default: 0.1 },
        loss: {
          anyOf: [{ oneOf: [{ $ref: "#/$defs/A" }, { $ref: "#/$defs/B" }] }, { type: "null" }],
          default: null,
        },
      },
    },
  },
  properties: {
    loss: { oneOf: [{ $ref: "#/$defs/A" }, { $ref: "#/$defs/B" }] },
    arms: { type: "array", items: { $ref: "#/$defs/Arm" } },
    steps: { type: "integer", default: 1000 },
    target: { anyOf: [{ type: "number" }, { type: "null" }], default: null },
    changes: { type: "array", items: { properties: { step: { type: "integer" } } }, default: [] },
  },
};

function roundTrip(value: unknown): { text: string; spec: unknown } {
  const text = encodeSpec(schema, complete(schema, schema, value));
  return { text, spec: decodeSpec(schema, text) };
}

describe("encodeSpec", () => {
  const cases: [string, unknown, string][] = [
    ["defaults", { loss: { name: "a" }, arms: [{}] }, "loss.name~a~arms.0.label~*'"],
    ["a changed number", { loss: { name: "b", t: 2 }, arms: [{}, { tikhonov: 1e-4 }] }, ""],
    ["a shorter list", { loss: { name: "a", hidden: [32] }, arms: [{ label: "x" }] }, ""],
    ["an empty list", { loss: { name: "a", hidden: [] }, arms: [{ label: "x" }] }, ""],
    ["an arm's own loss", { loss: { name: "a" }, arms: [{}, { loss: { name: "b", t: 5 } }] }, ""],
    ["changes", { loss: { name: "a" }, arms: [{}], changes: [{ step: 3 }, { step: 9 }] }, ""],
    ["a target", { loss: { name: "a" }, arms: [{}], target: 0.5 }, ""],
  ];

  it.each(cases)("brings back %s", (_, value, expected) => {
    const { text, spec } = roundTrip(value);
    expect(spec).toEqual(complete(schema, schema, value));
    if (expected !== "") expect(text).toBe(expected);
  });

  it("brings back any label", () => {
    for (const label of [
      "",
      "1e3",
      "true",
      "null",
      "[]",
      "a~b",
      "a*b*-c",
      "*'x",
      "Fisher λ=½",
      "~",
    ]) {
      const { spec } = roundTrip({ loss: { name: "a" }, arms: [{ label }, { label: "2" }] });
      expect(spec).toMatchObject({ arms: [{ label }, { label: "2" }] });
    }
  });

  it("leaves defaults out", () => {
    const { text } = roundTrip({
      loss: { name: "a", t: 0.5 },
      arms: [{ label: "V" }, {}],
      steps: 20,
    });
    expect(text).toBe("loss.name~a~loss.t~0.5~arms.0.label~V~arms.1.label~*'~steps~20");
  });

  it("refuses what is no spec", () => {
    expect(decodeSpec(schema, "")).toBeNull();
    expect(decodeSpec(schema, "loss.name")).toBeNull();
    expect(decodeSpec(schema, "0~1")).toBeNull();
    expect(decodeSpec(schema, "~~~")).toBeNull();
    expect(decodeSpec(schema, "loss.name~a")).toBeNull(); // no arms
    expect(decodeSpec(schema, "loss.name~a~arms~5")).toBeNull();
    expect(decodeSpec(schema, "loss.name~unheard~arms.0.label~x")).toBeNull();
    expect(decodeSpec(schema, "loss.name~a~arms.0.label~x~steps~many")).toBeNull();
    expect(decodeSpec(schema, "loss.name~a~arms.0.label~x~steps~-5")).toMatchObject({ steps: -5 });
  });

  it("does not touch prototypes", () => {
    decodeSpec(schema, "__proto__.polluted~1~loss.name~a");
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe("same", () => {
  it("compares JSON values", () => {
    expect(same({ a: [1, { b: null }], c: 2 }, { c: 2, a: [1, { b: null }] })).toBe(true);
    expect(same({ a: 1 }, { a: 1, b: undefined })).toBe(false);
    expect(same([1, 2], [1])).toBe(false);
    expect(same(null, {})).toBe(false);
  });
});
