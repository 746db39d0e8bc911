/** Settings of a page of its own and its address, both ways: a link shows the same thing. */

import { batch, effect, type Signal, signal, untracked } from "@preact/signals";
import { type Bound, bound, getBound, keepWritten, setBound } from "./bound";
import { type Properties, readQuery, type StateOf, writeQuery } from "./properties";
import { hrefOf, type Place, place } from "./router";

export interface PageAddress<P extends Properties> {
  /** Each setting as a signal. It outlives the page, which comes back as it was left. */
  state: { readonly [K in keyof P]: Signal<StateOf<P>[K]> };
  /** Sets some of them at once. */
  set(settings: Partial<StateOf<P>>): void;
  /** Sets all of them to what a query says, whatever the page's own address is. */
  show(search: string): void;
  /** Sets those that a query names, and leaves the others. */
  amend(search: string): void;
  /** The page's place with what it shows now. */
  place(): Place;
  /** The page's place with these settings, the others at their defaults. */
  placeWith(settings: Partial<StateOf<P>>): Place;
  /** Reads the address now and whenever it changes, and keeps it written; returns how to stop. */
  follow(): () => void;
}

/** The settings of the page at `path`. What the address leaves out or gets wrong is the default. */
export function pageAddress<P extends Properties>(path: string, properties: P): PageAddress<P> {
  const state: Record<string, Signal<unknown>> = {};
  const list: Record<string, Bound<unknown>> = {};
  for (const [name, property] of Object.entries(properties)) {
    const setting = signal<unknown>(property.initial);
    state[name] = setting;
    list[name] = bound(property, setting);
  }
  const here = (): Place => ({ path, search: writeQuery(list, getBound(list)) });
  return {
    state: state as PageAddress<P>["state"],
    set(settings) {
      batch(() => {
        for (const [name, value] of Object.entries(settings)) list[name]?.set(value);
      });
    },
    show(search) {
      setBound(list, readQuery(list, search));
    },
    amend(search) {
      const named = new URLSearchParams(search);
      const some = Object.entries(list).filter(([name]) => named.has(name));
      const chosen = Object.fromEntries(some);
      setBound(chosen, readQuery(chosen, search));
    },
    place: () => untracked(here),
    placeWith: (settings) => ({ path, search: writeQuery(properties, settings) }),
    follow() {
      const stopReading = effect(() => {
        if (place.value.path !== path) return;
        const given = readQuery(list, place.value.search);
        untracked(() => setBound(list, given));
      });
      const stopWriting = keepWritten(() => (place.value.path === path ? hrefOf(here()) : null));
      return () => {
        stopReading();
        stopWriting();
      };
    },
  };
}
