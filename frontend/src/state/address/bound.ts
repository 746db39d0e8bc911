/** Properties of an address that are bound to what the page keeps: read and written in one place. */

import { batch, effect, type Signal } from "@preact/signals";
import type { Properties, Property, StateOf } from "./properties";

export interface Bound<T> extends Property<T> {
  /** The value on the page; followed, where it is read in an effect. */
  get(): T;
  set(value: T): void;
}

/** A property that is a signal's value. */
export function bound<T>(property: Property<T>, to: Signal<T>): Bound<T> {
  return boundBy(
    property,
    () => to.value,
    (value) => {
      to.value = value;
    },
  );
}

/** A property that is read from the page and written to it by functions of its own. */
export function boundBy<T>(property: Property<T>, get: () => T, set: (value: T) => void): Bound<T> {
  return { ...property, get, set };
}

function isBound<T>(property: Property<T>): property is Bound<T> {
  return "set" in property;
}

/** Sets every bound property of the page to what the address says. */
export function setBound<P extends Properties>(properties: P, state: StateOf<P>): void {
  batch(() => {
    for (const [name, property] of Object.entries(properties)) {
      if (isBound(property)) property.set(state[name]);
    }
  });
}

/** The values that the page has for its bound properties. */
export function getBound<P extends Properties>(properties: P): Partial<StateOf<P>> {
  const values = Object.entries(properties).flatMap(([name, property]) =>
    isBound(property) ? [[name, property.get()]] : [],
  );
  return Object.fromEntries(values);
}

/** Writes to the history at most this often: browsers refuse more. */
const WRITE_MS = 400;

export interface Writing {
  /** Whether the page is on its way to what the address says already. */
  isLoading?(): boolean;
  /** Whether an address leads nowhere any more. */
  isGone?(address: string): boolean;
}

/**
 * Writes the page's address into the browser's whenever it changes. While `address` gives null,
 * another page is shown and nothing is written. Another path becomes a new entry of the history, at
 * once, so that a reload never goes back to a run that was left. Any other change, and a path that
 * takes the place of one that is gone, replaces the current entry. Call what it returns to stop it.
 */
export function keepWritten(
  address: () => string | null,
  { isLoading = () => false, isGone = () => false }: Writing = {},
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let latest: string | null = null;
  const stop = effect(() => {
    clearTimeout(timer);
    const wanted = address();
    latest = wanted;
    if (wanted === null) return;
    const url = new URL(wanted, document.baseURI);
    const attempt = () => {
      if (latest === wanted && !isLoading()) write(url, isGone(location.href));
    };
    const later = () => {
      if (isLoading()) timer = setTimeout(later, WRITE_MS);
      else attempt();
    };
    timer = setTimeout(later, WRITE_MS);
    if (url.pathname !== new URL(location.href).pathname) queueMicrotask(attempt);
  });
  return () => {
    clearTimeout(timer);
    latest = null;
    stop();
  };
}

function write(url: URL, isGone: boolean): void {
  const now = new URL(location.href);
  if (url.href === now.href) return;
  if (isGone || url.pathname === now.pathname) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
}
