/** A presentation of this page: the server is told where it is, and others follow. */

import { signal } from "@preact/signals";
import { ApiError, send } from "../../api/client";
import type { Schemas } from "../../api/types";
import { failure } from "../../state/failure";
import { addressHere } from "./here";

export interface Presentation {
  id: string;
  secret: string;
  link: string;
  followers: number;
}

export const presentation = signal<Presentation | null>(null);

/** The name of what the teacher points at; null: nothing. */
export const pointed = signal<string | null>(null);

/** Whether what lies under the pointer is pointed at. */
export const pointing = signal(false);

/** Where the presentation is kept for a reload of the tab. */
const KEPT = "newton-lab.presentation";

/**
 * How often the page looks whether it has moved. While a run plays, its address changes with every
 * frame: four times a second is what a page that follows can draw.
 */
const LOOK_MS = 250;
/** The server hears from a presentation at least so often, and says how many follow. */
const HEARTBEAT_MS = 5000;
const RETRY_MS = 2000;

let timer: ReturnType<typeof setTimeout> | undefined;
let told = "";
let toldAt = 0;

/** Begins a presentation of what the page shows, wherever it goes. */
export async function present(): Promise<void> {
  try {
    const begun = await send<Schemas["StartedPresentation"]>("POST", "api/presentations", {
      address: addressHere(),
    });
    keep({ id: begun.id, secret: begun.secret, link: begun.link, followers: begun.followers });
    lookSoon(0);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    failure.value = { message: error.message, retry: () => void present() };
  }
}

/** Ends it: the pages that follow are told. */
export async function endPresentation(): Promise<void> {
  const now = presentation.value;
  if (now === null) return;
  clearTimeout(timer);
  keep(null);
  pointing.value = false;
  await tell(now, { address: addressHere(), highlight: null, ended: true }).catch(() => undefined);
}

/** Goes on with the presentation of before a reload. */
export function resumePresentation(): void {
  const kept = sessionStorage.getItem(KEPT);
  if (kept === null) return;
  presentation.value = JSON.parse(kept) as Presentation;
  lookSoon(0);
}

function keep(now: Presentation | null): void {
  presentation.value = now;
  told = "";
  if (now === null) sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, JSON.stringify(now));
}

function lookSoon(after = LOOK_MS): void {
  clearTimeout(timer);
  timer = setTimeout(() => void look(), after);
}

async function look(): Promise<void> {
  const now = presentation.value;
  if (now === null) return;
  const view = { address: addressHere(), highlight: pointing.value ? pointed.value : null };
  const text = JSON.stringify(view);
  if (text === told && Date.now() - toldAt < HEARTBEAT_MS) {
    lookSoon();
    return;
  }
  try {
    const answer = await tell(now, { ...view, ended: false });
    if (presentation.value?.id !== now.id) return;
    told = text;
    toldAt = Date.now();
    const { followers, link } = answer;
    if (followers !== now.followers || link !== now.link) {
      presentation.value = { ...now, followers, link };
    }
    lookSoon();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 403) keep(null);
    else lookSoon(RETRY_MS); // the server may be away; it knows the secret when it is back
  }
}

function tell(
  { id, secret }: Presentation,
  change: { address: string; highlight: string | null; ended: boolean },
): Promise<Schemas["PresentationInfo"]> {
  return send("PUT", `api/presentations/${id}`, { secret, ...change });
}
