/** The list of runs as it is shown: which part of it, in which groups, and which are picked. */

import { computed, signal } from "@preact/signals";
import { ApiError, request } from "../../api/client";
import type { RunInfo, RunPage } from "../../api/types";
import { optionLabel } from "../../state/labels";
import { inGroups } from "./groups";

export const PAGE_SIZE = 30;

export const page = signal<RunPage | null>(null);
export const problem = signal<string | null>(null);
export const offset = signal(0);

/** Only runs with these words in their names; "": all. */
export const search = signal("");
/** Only runs with this status; "": all. */
export const status = signal<RunInfo["status"] | "">("");

/** What runs of one group have in common. */
export const GROUPINGS = {
  none: { title: "no groups", of: () => "" },
  name: { title: "name", of: (run: RunInfo) => run.title },
  task: { title: "task", of: (run: RunInfo) => optionLabel("task", run.task) },
  loss: { title: "loss", of: (run: RunInfo) => optionLabel("loss", run.loss) },
} satisfies Record<string, { title: string; of(run: RunInfo): string }>;

export type Grouping = keyof typeof GROUPINGS;
export const grouping = signal<Grouping>("none");

export const groups = computed(() =>
  inGroups(page.value?.items ?? [], GROUPINGS[grouping.value].of),
);

/** The runs picked to be compared, in the order of picking. */
export const picked = signal<readonly string[]>([]);

/** Tasks of the runs seen so far: a picked one may stand on another page of the list. */
const tasksSeen = new Map<string, string>();

/** The task of a run that has been on this page; a run that has not is like no other. */
export function taskOf(id: string): string {
  return tasksSeen.get(id) ?? id;
}

let latest = 0;

export async function load(): Promise<void> {
  latest += 1;
  const own = latest;
  const query = new URLSearchParams({ limit: `${PAGE_SIZE}`, offset: `${offset.peek()}` });
  if (search.peek().trim() !== "") query.set("search", search.peek().trim());
  if (status.peek() !== "") query.set("status", status.peek());
  try {
    const found = await request<RunPage>(`api/runs?${query}`);
    if (own !== latest) return; // another question was asked meanwhile
    page.value = found;
    for (const { id, task } of found.items) tasksSeen.set(id, task);
    problem.value = null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    problem.value = error.message;
  }
}

/** Waits for a change of a run and shows the list again, or what was refused. */
export async function change(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    problem.value = error.message;
    return;
  }
  await load();
}

/** Shows the part of the list that a filter leaves, from its beginning. */
export function filter(how: () => void): void {
  how();
  offset.value = 0;
  void load();
}
