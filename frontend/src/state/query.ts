/** Settings of a page of its own and its address, both ways: a link shows the same thing. */

import { batch, effect, type Signal, signal, untracked } from "@preact/signals";
import { type Properties, readQuery, type StateOf, writeQuery } from "./properties";
import { hrefOf, type Place, place } from "./router";

/** Writes to the history at most this often: browsers refuse more. */
const WRITE_MS = 400;

export interface PageQuery<P extends Properties> {
  /** Each setting as a signal. It outlives the page, which comes back as it was left. */
  state: { readonly [K in keyof P]: Signal<StateOf<P>[K]> };
  /** The page's place with what it shows now. */
  place(): Place;
  /** Reads the address now and whenever it changes, and keeps it written; returns how to stop. */
  follow(): () => void;
}

/** The settings of the page at `path`. What the address leaves out or gets wrong is the default. */
export function pageQuery<P extends Properties>(path: string, properties: P): PageQuery<P> {
  const names = Object.keys(properties) as (keyof P)[];
  const signals = Object.fromEntries(
    Object.entries(properties).map(([name, { initial }]) => [name, signal(initial)]),
  ) as { [K in keyof P]: Signal<StateOf<P>[K]> };
  const search = (): string => {
    const entries = names.map((name) => [name, signals[name].value]);
    return writeQuery(properties, Object.fromEntries(entries) as StateOf<P>);
  };
  const here = (): Place => ({ path, search: untracked(search) });

  const read = () =>
    effect(() => {
      if (place.value.path !== path) return;
      const state = readQuery(properties, place.value.search);
      untracked(() =>
        batch(() => {
          for (const name of names) signals[name].value = state[name];
        }),
      );
    });
  const write = () => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      clearTimeout(timer);
      const to = { path, search: search() };
      timer = setTimeout(() => {
        const url = new URL(hrefOf(to), document.baseURI);
        if (place.peek().path === path && url.href !== location.href) {
          history.replaceState(null, "", url);
        }
      }, WRITE_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  };
  return {
    state: signals,
    place: here,
    follow() {
      const stops = [read(), write()];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
