/** Values in an address: how each is read and written, and its default. Pure. */

export interface Property<T> {
  initial: T;
  /** The value in `text`; undefined: not a value, the default stands. */
  read(text: string): T | undefined;
  write(value: T): string;
}

export function text(initial = ""): Property<string> {
  return { initial, read: (value) => value, write: (value) => value };
}

export function choice<const T extends string>(
  options: readonly T[],
  initial: NoInfer<T>,
): Property<T> {
  return {
    initial,
    read: (value) => options.find((option) => option === value),
    write: (value) => value,
  };
}

export function integer<T extends number | null>(
  initial: T,
  min: number,
  max: number,
): Property<T | number> {
  return {
    initial,
    read(value) {
      const number = Number(value);
      const fits = value !== "" && Number.isInteger(number) && number >= min && number <= max;
      return fits ? number : undefined;
    },
    write: String,
  };
}

/** A choice that can be left to what fits: null, written as `word`. */
export function fitting<T>(property: Property<T>, word = "auto"): Property<T | null> {
  return {
    initial: null,
    read: (value) => (value === word ? null : property.read(value)),
    write: (value) => (value === null ? word : property.write(value)),
  };
}

/** One of two words, for yes and for no. */
export function either(yes: string, no: string, initial: boolean): Property<boolean> {
  return {
    initial,
    read: (value) => (value === yes ? true : value === no ? false : undefined),
    write: (value) => (value ? yes : no),
  };
}

/** There, whatever it says, or not. */
export function flag(): Property<boolean> {
  return { initial: false, read: (value) => value !== "0", write: (value) => (value ? "" : "0") };
}

export function list<T>(item: Property<T>): Property<T[]> {
  return {
    initial: [],
    read(value) {
      const items = value.split(",").map((part) => item.read(part));
      return items.every((part) => part !== undefined) ? items : undefined;
    },
    write: (values) => values.map((value) => item.write(value)).join(","),
  };
}

/** A finite number within bounds. */
export function number(initial: number, min: number, max: number): Property<number> {
  return {
    initial,
    read(value) {
      const found = Number(value);
      return value !== "" && found >= min && found <= max ? found : undefined;
    },
    write: String,
  };
}

/** Two numbers, `-7,0.3`; null: none. */
export function point(min: number, max: number): Property<readonly [number, number] | null> {
  const coordinate = number(0, min, max);
  return {
    initial: null,
    read(value) {
      const [a, b, ...rest] = value.split(",").map(coordinate.read);
      return a === undefined || b === undefined || rest.length > 0 ? undefined : [a, b];
    },
    write: (value) => value?.join(",") ?? "",
  };
}

// biome-ignore lint/suspicious/noExplicitAny: each property has a type of its own
export type Properties = Record<string, Property<any>>;
export type StateOf<P extends Properties> = {
  [K in keyof P]: P[K] extends Property<infer T> ? T : never;
};

/** The state in an address's query; defaults for what it leaves out or gets wrong. */
export function readQuery<P extends Properties>(properties: P, search: string): StateOf<P> {
  const given = new URLSearchParams(search);
  const state: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(properties)) {
    const value = given.get(name);
    state[name] = (value === null ? undefined : property.read(value)) ?? property.initial;
  }
  return state as StateOf<P>;
}

/** The query of a state, defaults left out: "" or "?...". */
export function writeQuery<P extends Properties>(
  properties: P,
  state: Partial<StateOf<P>>,
): string {
  const parts: string[] = [];
  for (const [name, property] of Object.entries(properties)) {
    const value: unknown = state[name];
    if (value === undefined) continue;
    const text = property.write(value);
    if (text === property.write(property.initial)) continue;
    parts.push(text === "" ? name : `${name}=${encodeURIComponent(text).replaceAll("%2C", ",")}`);
  }
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}
