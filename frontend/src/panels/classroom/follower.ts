/** A page that goes where a teacher's page goes. */

import { signal } from "@preact/signals";
import { hrefOf, type Place, place, placeOf, runIdOf } from "../../state/address/router";
import { pause, play } from "../../state/clock";
import { runId } from "../../state/signals";
import { pointAt } from "./pointing";

/** `waiting`: for the first word; `lost`: the server is away, or the teacher; `left`: by choice. */
export type FollowState = "waiting" | "following" | "lost" | "left" | "over";

export const followedPresentation = signal<{ id: string; state: FollowState } | null>(null);

const KEPT = "newton-lab.follow";
const RETRY_MS = 3000;
/** Missing pings: the server sends one every ten seconds. */
const SILENT_MS = 35_000;

let source: EventSource | null = null;
let retry: ReturnType<typeof setTimeout> | undefined;
let silence: ReturnType<typeof setTimeout> | undefined;

/** The presentation that a path invites to follow; null: none. */
export function presentationIdOf(path: string): string | null {
  return /^follow\/([0-9a-f]{12})$/.exec(path)?.[1] ?? null;
}

/** Follows a presentation from now on, also after a reload of this tab. */
export function follow(id: string): void {
  sessionStorage.setItem(KEPT, id);
  set(id, "waiting");
  listen(id);
}

/** Follows on where a reload has interrupted it. */
export function resumeFollowing(): void {
  const id = sessionStorage.getItem(KEPT);
  if (id !== null && presentationIdOf(place.peek().path) === null) follow(id);
}

/** Stays where the page is; the teacher goes on alone. */
export function leavePresentation(): void {
  const id = followedPresentation.peek()?.id;
  if (id === undefined) return;
  close();
  sessionStorage.removeItem(KEPT);
  set(id, "left");
}

/** Puts the bar away. */
export function dismiss(): void {
  close();
  sessionStorage.removeItem(KEPT);
  followedPresentation.value = null;
}

/** Where a page that follows goes: to the same thing, yet in its own look and at its own pace. */
export function followersPlace(address: string, base: string): Place {
  const to = placeOf(address === "" ? "./" : address, base);
  const kept = new URLSearchParams(to.search);
  for (const own of ["present", "speed", "theme"]) kept.delete(own);
  const search = kept.toString();
  return { path: to.path, search: search === "" ? "" : `?${search}` };
}

function listen(id: string): void {
  close();
  const opened = new EventSource(`api/presentations/${id}/events`);
  source = opened;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => lose(id), SILENT_MS);
  };
  heard();
  opened.addEventListener("place", ({ data }: MessageEvent<string>) => {
    heard();
    const { address, highlight } = JSON.parse(data) as {
      address: string;
      highlight: string | null;
    };
    set(id, "following");
    go(followersPlace(address, document.baseURI));
    pointAt(highlight);
  });
  opened.addEventListener("ping", heard);
  opened.addEventListener("ended", () => {
    close();
    sessionStorage.removeItem(KEPT);
    set(id, "over");
  });
  opened.onerror = () => lose(id);
}

/** Tries again after a while: a server that was restarted knows the presentation soon again. */
function lose(id: string): void {
  close();
  set(id, "lost");
  retry = setTimeout(() => listen(id), RETRY_MS);
}

function close(): void {
  source?.close();
  source = null;
  clearTimeout(retry);
  clearTimeout(silence);
  pointAt(null);
}

function set(id: string, state: FollowState): void {
  followedPresentation.value = { id, state };
}

function go(to: Place): void {
  const known = runIdOf(to.path);
  if (known !== null && known === runId.peek()) {
    // An address without a step is that of a run that plays at its head.
    if (new URLSearchParams(to.search).has("step")) pause();
    else play();
  }
  history.replaceState(null, "", new URL(hrefOf(to), document.baseURI));
  place.value = to;
}
