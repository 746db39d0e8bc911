/** The spec's JSON schema, read as fields of a form. Pure: schema in, records out. */

export type Path = readonly (string | number)[];

/** What we read of JSON schema (as Pydantic writes it), with our own `unit` and `scale`. */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  title?: string;
  description?: string;
  unit?: string;
  scale?: "linear" | "log";
  /** Values of other fields of the record without which this one has no effect. */
  used_if?: Record<string, string[]>;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minItems?: number;
  maxItems?: number;
  maxLength?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

interface Common {
  /** The property's own name. */
  key: string;
  path: Path;
  title: string;
  description: string;
  unit: string;
  /** Whether "empty" (null) is a value. */
  nullable: boolean;
  default: unknown;
  usedIf: Readonly<Record<string, readonly string[]>>;
}

export interface NumberField extends Common {
  kind: "number";
  integer: boolean;
  scale: "linear" | "log";
  /** Bounds as written; `minExclusive` says that `min` itself is not allowed. */
  min: number | null;
  max: number | null;
  minExclusive: boolean;
  maxExclusive: boolean;
}

export interface ChoiceField extends Common {
  kind: "choice";
  options: string[];
}

/** One of the records that a union offers, told apart by `name`. */
export interface Variant {
  name: string;
  description: string;
  schema: JsonSchema;
}

export interface VariantField extends Common {
  kind: "variant";
  variants: Variant[];
}

export interface PlainField extends Common {
  kind: "boolean" | "text" | "numbers";
  maxLength: number | null;
}

export type Field = NumberField | ChoiceField | VariantField | PlainField;

/** The fields of an object schema, without those that are fixed (`name`) or that no form shows. */
export function fieldsOf(root: JsonSchema, object: JsonSchema, base: Path = []): Field[] {
  const fields: Field[] = [];
  for (const [key, node] of Object.entries(resolve(root, object).properties ?? {})) {
    const field = fieldOf(root, key, node, [...base, key]);
    if (field !== null) fields.push(field);
  }
  return fields;
}

/** Whether a field has an effect in a record, beside the record's other values. */
export function isUsed({ usedIf }: Pick<Field, "usedIf">, record: object): boolean {
  const values = new Map<string, unknown>(Object.entries(record));
  return Object.entries(usedIf).every(([key, allowed]) =>
    allowed.includes(String(values.get(key))),
  );
}

/** One property as a field; null for a constant and for what has no control (lists of records). */
function fieldOf(root: JsonSchema, key: string, node: JsonSchema, path: Path): Field | null {
  const { core, nullable } = unwrap(root, node);
  const common: Common = {
    key,
    path,
    title: node.title ?? core.title ?? humanise(key),
    description: node.description ?? core.description ?? "",
    unit: "",
    nullable,
    default: node.default ?? (nullable ? null : undefined),
    usedIf: node.used_if ?? {},
  };
  const unit = node.unit ?? core.unit ?? "";
  if (!common.title.toLowerCase().endsWith(unit.toLowerCase())) common.unit = unit; // "Steps" says it
  const variants = variantsOf(root, core);
  if (variants.length > 0) return { ...common, kind: "variant", variants };
  if (core.const !== undefined) return null;
  if (core.enum !== undefined) {
    return { ...common, kind: "choice", options: core.enum.map(String) };
  }
  switch (core.type) {
    case "integer":
    case "number":
      return {
        ...common,
        kind: "number",
        integer: core.type === "integer",
        scale: node.scale ?? core.scale ?? "linear",
        min: core.minimum ?? core.exclusiveMinimum ?? null,
        max: core.maximum ?? core.exclusiveMaximum ?? null,
        minExclusive: core.minimum === undefined && core.exclusiveMinimum !== undefined,
        maxExclusive: core.maximum === undefined && core.exclusiveMaximum !== undefined,
      };
    case "boolean":
      return { ...common, kind: "boolean", maxLength: null };
    case "string":
      return { ...common, kind: "text", maxLength: core.maxLength ?? null };
    case "array": {
      const item = unwrap(root, core.items ?? {}).core;
      const isNumeric = item.type === "integer" || item.type === "number";
      return isNumeric ? { ...common, kind: "numbers", maxLength: core.maxItems ?? null } : null;
    }
    default:
      return null;
  }
}

/** Follows references; a property's own words beside a `$ref` stay with the property. */
export function resolve(root: JsonSchema, node: JsonSchema): JsonSchema {
  let current = node;
  while (current.$ref !== undefined) {
    const name = current.$ref.slice(current.$ref.lastIndexOf("/") + 1);
    const target = root.$defs?.[name];
    if (target === undefined) throw new Error(`the schema has no definition "${name}"`);
    current = target;
  }
  return current;
}

function unwrap(root: JsonSchema, node: JsonSchema): { core: JsonSchema; nullable: boolean } {
  const options = node.anyOf;
  if (options === undefined) return { core: resolve(root, node), nullable: false };
  const others = options.filter((option) => option.type !== "null");
  const nullable = others.length < options.length;
  if (others.length === 1) return { core: resolve(root, others[0] as JsonSchema), nullable };
  return { core: { oneOf: others }, nullable };
}

function variantsOf(root: JsonSchema, core: JsonSchema): Variant[] {
  return (core.oneOf ?? [core]).flatMap((option) => {
    const schema = resolve(root, option);
    const name = schema.properties?.name?.const;
    if (typeof name !== "string") return [];
    return [{ name, description: schema.description ?? "", schema }];
  });
}

/** The value of an object schema with every default filled in, given what `value` sets. */
export function complete(root: JsonSchema, object: JsonSchema, value: unknown): unknown {
  const { core, nullable } = unwrap(root, object);
  if (value === null && nullable) return null;
  const record = named(core, value);
  const chosen = chooseVariant(root, core, record);
  if (chosen.properties !== undefined) {
    const given = isRecord(record) ? record : {};
    const result: Record<string, unknown> = {};
    for (const [key, node] of Object.entries(chosen.properties)) {
      const own = key in given ? given[key] : "default" in node ? node.default : node.const;
      if (own !== undefined) result[key] = complete(root, node, own);
      else if (isRecordSchema(root, node)) result[key] = complete(root, node, {});
    }
    return { ...given, ...result };
  }
  if (core.items !== undefined && Array.isArray(value)) {
    return value.map((item) => complete(root, core.items as JsonSchema, item));
  }
  return value;
}

/**
 * Whether a value has the shape that a schema asks for: records, lists and kinds of scalars, the
 * known variants of unions. Bounds are the server's to judge.
 */
export function hasShape(root: JsonSchema, node: JsonSchema, value: unknown): boolean {
  const { core, nullable } = unwrap(root, node);
  if (value === null) return nullable;
  const variants = core.oneOf === undefined ? [] : variantsOf(root, core);
  if (variants.length > 0) {
    const name = isRecord(value) ? value.name : undefined;
    const variant = variants.find((candidate) => candidate.name === name);
    return variant !== undefined && hasShape(root, variant.schema, value);
  }
  if (core.properties !== undefined) {
    const properties = Object.entries(core.properties);
    return isRecord(value) && properties.every(([key, own]) => hasShape(root, own, value[key]));
  }
  if (core.const !== undefined) return value === core.const;
  if (core.enum !== undefined) return core.enum.includes(value);
  switch (core.type) {
    case "array":
      return Array.isArray(value) && value.every((item) => hasShape(root, core.items ?? {}, item));
    case "integer":
    case "number":
      return typeof value === "number";
    case "string":
    case "boolean":
      return typeof value === core.type;
    default:
      return true;
  }
}

/** A variant that is given by its name alone, as the server lets a spec name an oracle. */
function named(core: JsonSchema, value: unknown): unknown {
  return core.oneOf !== undefined && typeof value === "string" ? { name: value } : value;
}

function chooseVariant(root: JsonSchema, core: JsonSchema, value: unknown): JsonSchema {
  if (core.oneOf === undefined) return core;
  const variants = variantsOf(root, core);
  const name = isRecord(value) ? value.name : undefined;
  return (variants.find((variant) => variant.name === name) ?? variants[0])?.schema ?? core;
}

function isRecordSchema(root: JsonSchema, node: JsonSchema): boolean {
  const { core, nullable } = unwrap(root, node);
  return !nullable && (core.oneOf !== undefined || core.properties !== undefined);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at `path`; undefined where there is none. */
export function getPath(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined,
    value,
  );
}

/** A copy of `value` with `path` set; nothing else is copied or changed. */
export function setPath<T>(value: T, path: Path, to: unknown): T {
  const [key, ...rest] = path;
  if (key === undefined) return to as T;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  copy[key] = setPath(copy[key], rest, to);
  return copy as T;
}

/** An identifier as words: "saddle_free" becomes "saddle free". */
export function humanise(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
