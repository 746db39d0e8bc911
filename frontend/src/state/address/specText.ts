/**
 * A spec as text for a link: readable, short (defaults are left out), and free of characters that a
 * link would have to escape.
 *
 *     task.name~ranking~loss.name~neuralsort~loss.temperature~0.5~arms.1.tikhonov~0.01
 *
 * Paths and values take turns, parted by `~`. Numbers, true, false and null stand for themselves, a
 * list of numbers has commas (`128,64`; one number alone: `32,`), any other text is a string; `*` escapes: `*-` is `~`, `**` is `*`, and a leading `*'` marks a string
 * that would read as something else. `[]` and `{}` are empty containers.
 */

import { complete, hasShape, isRecord, type JsonSchema } from "../schema";

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** The parts of `spec` that differ from the schema's defaults, as text. */
export function encodeSpec(schema: JsonSchema, spec: unknown): string {
  const leaves = flatten(spec);
  const needed = new Map(leaves);
  for (const [path, value] of leaves.toReversed()) {
    // A leaf whose absence completes to the same spec says nothing.
    if (isIdentity(path)) continue;
    needed.delete(path);
    if (!same(complete(schema, schema, unflatten(needed)), spec)) needed.set(path, value);
  }
  // Deleting and setting again changes the order: write them in the spec's own.
  return leaves
    .filter(([path]) => needed.has(path))
    .flatMap(([path, value]) => [path, encodeValue(value)])
    .join("~");
}

/**
 * The spec in `text`, completed with the schema's defaults; null if it is none. Values out of their
 * bounds stay: the server names them at their fields.
 */
export function decodeSpec(schema: JsonSchema, text: string): unknown {
  const parts = text.split("~");
  if (parts.length < 2 || parts.length % 2 !== 0) return null;
  const leaves = new Map<string, unknown>();
  for (let i = 0; i < parts.length; i += 2) {
    leaves.set(parts[i] as string, decodeValue(parts[i + 1] as string));
  }
  const value = unflatten(leaves);
  if (!isRecord(value)) return null;
  const spec = complete(schema, schema, value);
  return hasShape(schema, schema, spec) ? spec : null;
}

/** Names decide which defaults apply, so that they are always written. */
function isIdentity(path: string): boolean {
  return path.endsWith(".name");
}

function flatten(value: unknown, prefix = ""): [string, unknown][] {
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0) {
    return [[prefix, value]];
  }
  if (Array.isArray(value) && value.every((item) => typeof item === "number")) {
    return [[prefix, value]];
  }
  return Object.entries(value).flatMap(([key, child]) =>
    flatten(child, prefix === "" ? key : `${prefix}.${key}`),
  );
}

function unflatten(leaves: ReadonlyMap<string, unknown>): unknown {
  const root: Record<string, unknown> = {};
  for (const [path, value] of leaves) {
    const keys = path.split(".");
    if (keys.some((key) => key === "__proto__")) continue;
    let at = root;
    for (const key of keys.slice(0, -1)) {
      if (!isRecord(at[key])) at[key] = {};
      at = at[key] as Record<string, unknown>;
    }
    at[keys.at(-1) as string] = value;
  }
  return listed(root);
}

/** Records whose keys are all indices become lists; an index left out is a record of defaults. */
function listed(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, child]) => [key, listed(child)] as const);
  const isList = entries.length > 0 && entries.every(([key]) => /^\d{1,3}$/.test(key));
  if (!isList) return Object.fromEntries(entries);
  const length = Math.max(...entries.map(([key]) => Number(key))) + 1;
  const found = new Map(entries.map(([key, child]) => [Number(key), child]));
  return Array.from({ length }, (_, index) => found.get(index) ?? {});
}

function encodeValue(value: unknown): string {
  if (Array.isArray(value) && value.length > 0) {
    return value.length === 1 ? `${value[0]},` : value.join(",");
  }
  if (typeof value !== "string") return JSON.stringify(value) ?? "null";
  const text = value.replaceAll("*", "**").replaceAll("~", "*-");
  return typeof decodeValue(text) === "string" && text !== "" ? text : `*'${text}`;
}

function decodeValue(text: string): unknown {
  if (text.startsWith("*'")) return unescaped(text.slice(2));
  if (text === "true" || text === "false" || text === "null") return JSON.parse(text);
  if (text === "[]") return [];
  if (text === "{}") return {};
  if (NUMBER.test(text)) return Number(text);
  const items = text.replace(/,$/, "").split(",");
  if (text.includes(",") && items.every((item) => NUMBER.test(item))) return items.map(Number);
  return unescaped(text);
}

function unescaped(text: string): string {
  return text.replace(/\*([*-])/g, (_, mark) => (mark === "-" ? "~" : "*"));
}

/** Deep equality of JSON values, whatever the order of keys. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => same(item, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]))
  );
}
