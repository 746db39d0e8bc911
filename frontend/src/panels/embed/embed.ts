/** A panel with its state: as the address of a frame, its HTML, and the address of a file. */

import { embedHref, type Place, runIdOf } from "../../state/address/router";
import type { PanelName } from "../../state/frame";
import type { Theme } from "../../state/signals";

export interface Wish {
  /** Null: the whole page. */
  panel: PanelName | null;
  /** The arm that stands out; null: all alike. */
  arm: number | null;
  theme: Theme;
  size: Size;
}

export type Size = keyof typeof SIZES;

/** Width and height of a frame. */
export const SIZES = {
  slide: { words: "a slide, 960 × 540", width: "960", height: "540" },
  half: { words: "half a slide, 480 × 540", width: "480", height: "540" },
  column: { words: "a page’s column, 100 % × 520", width: "100%", height: "520" },
  whole: { words: "a whole page, 100 % × 900", width: "100%", height: "900" },
} as const;

/** What the page shows, as the frame's address says it: the rest is its place's own. */
function viewOf({ path, search }: Place, { panel, arm, theme }: Wish): string {
  const query = new URLSearchParams(search);
  const isRun = path === "" || runIdOf(path) !== null;
  for (const name of isRun ? ["panel", "arm", "theme", "present"] : ["theme"]) query.delete(name);
  if (isRun && panel !== null) {
    query.set("panel", panel);
    if (arm !== null) query.set("arm", String(arm));
  }
  if (theme !== "system") query.set("theme", theme);
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%7E", "~");
  return text === "" ? "" : `?${text}`;
}

/** The address of a frame, relative to the lab. */
export function frameHref(here: Place, wish: Wish): string {
  return embedHref({ path: here.path, search: viewOf(here, wish) });
}

/** HTML for another page. `address` is the frame's, with its server. */
export function snippet(address: string, size: Size, title: string): string {
  const { width, height } = SIZES[size];
  return (
    `<iframe src="${escaped(address)}" title="${escaped(title)}"` +
    ` width="${width}" height="${height}" style="border: 0" loading="lazy"></iframe>`
  );
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}

/** Where the file comes from, relative to the lab; null: what is shown is no run. */
export function fileHref(here: Place, wish: Wish): string | null {
  const id = runIdOf(here.path);
  if (id === null) return null;
  const query = new URLSearchParams({ format: "html", view: viewOf(here, wish) });
  return `api/runs/${encodeURIComponent(id)}/export?${query}`;
}
