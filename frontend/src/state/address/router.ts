/** Which page the address names. Paths are relative to the page's base, whatever the prefix. */

import { signal } from "@preact/signals";

export interface Place {
  /** Path below the base, without slashes at its ends: "", "runs", "runs/3f2a". */
  path: string;
  /** The query with its question mark, or "". */
  search: string;
}

export const place = signal<Place>({ path: "", search: "" });

/** The path under which the page shows itself in a frame of another page: no header, no settings. */
const EMBED = "embed";

/** Whether this page is a part of another one. */
export const embedded = signal(false);

/** Whether the page is a file: then its places are behind the `#` of its address. */
const isFile = signal(false);

/** The id of the run that a path shows; null: none. */
export function runIdOf(path: string): string | null {
  return /^runs\/([^/]+)$/.exec(path)?.[1] ?? null;
}

/** The place that an address names, given the base. */
export function placeOf(address: string, base: string): Place {
  const url = new URL(address, base);
  const root = new URL(base).pathname;
  const inside = url.pathname.startsWith(root) ? url.pathname.slice(root.length) : url.pathname;
  const path = inside.replace(/^\/+|\/+$/g, "");
  return { path: isEmbed(path) ? path.slice(EMBED.length + 1) : path, search: url.search };
}

function isEmbed(path: string): boolean {
  return path === EMBED || path.startsWith(`${EMBED}/`);
}

/** The address of a place, relative to the base: for `href`. */
export function hrefOf(to: Place): string {
  if (isFile.value) return `#${to.path}${to.search}`;
  if (embedded.value) return embedHref(to);
  return `${to.path === "" ? "./" : to.path}${to.search}`;
}

/** The address of a place for a frame in another page. */
export function embedHref(to: Place): string {
  return `${to.path === "" ? EMBED : `${EMBED}/${to.path}`}${to.search}`;
}

/** An address with its server. */
export function absolute(href: string): string {
  return new URL(href, document.baseURI).href;
}

/** Goes to a place: a new entry of the history, which the page then reads. */
export function navigate(to: Place): void {
  if (isFile.value) location.hash = hrefOf(to);
  else history.pushState(null, "", new URL(hrefOf(to), document.baseURI));
  place.value = to;
}

/** Reads the address now and whenever the history moves. */
export function startRouter(): void {
  const root = new URL(document.baseURI).pathname;
  embedded.value = isEmbed(location.pathname.slice(root.length));
  const read = () => {
    place.value = placeOf(location.href, document.baseURI);
  };
  read();
  addEventListener("popstate", read);
}

/** The same of a file. */
export function startFileRouter(): void {
  isFile.value = true;
  const read = () => {
    const [path = "", search] = decodeURI(location.hash.slice(1)).split("?");
    place.value = { path, search: search === undefined ? "" : `?${search}` };
  };
  read();
  addEventListener("hashchange", read);
}

/** Whether a host's name means the machine that asks, which every machine has for itself. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\..*|\[::1\])$/.test(host);
}
