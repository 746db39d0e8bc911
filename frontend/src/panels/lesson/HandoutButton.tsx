/** A lesson as a file: its runs are made first, where the server has not made them yet. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError, request, submitRun } from "../../api/client";
import type { Lesson, RunInfo, Spec } from "../../api/types";
import { formatCount } from "../../format";

const LOOK_MS = 1000;

export function HandoutButton({ lesson }: { lesson: Lesson }) {
  const said = useSignal("");
  const going = useRef<AbortController | null>(null);
  useEffect(() => () => going.current?.abort(), []);
  const press = async () => {
    const stop = new AbortController();
    const { signal } = stop;
    going.current = stop;
    try {
      await runsOf(lesson, signal, (words) => {
        said.value = words;
      });
      save(lesson.name);
      said.value = "The file is on its way; its pictures take a moment.";
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      said.value = `No hand-out: ${error.message}`;
    }
    going.current = null;
  };
  const isGoing = said.value.endsWith("…");
  return (
    <span class="handout">
      <button
        type="button"
        class="link"
        disabled={isGoing}
        data-tip="This lesson with its runs as one file, which plays and prints without a network"
        onClick={() => void press()}
      >
        Hand-out
      </button>
      <small role="status">{said.value}</small>
    </span>
  );
}

/** Waits until every run of the lesson has finished. Throws `ApiError`. */
async function runsOf(
  { content }: Lesson,
  signal: AbortSignal,
  say: (words: string) => void,
): Promise<void> {
  const texts = content.flatMap(({ scene }) => (scene?.spec ? [JSON.stringify(scene.spec)] : []));
  const ids: string[] = [];
  for (const text of new Set(texts)) ids.push((await submitRun(JSON.parse(text) as Spec)).id);
  for (;;) {
    const runs = await Promise.all(
      ids.map((id) => request<RunInfo>(`api/runs/${encodeURIComponent(id)}`, { signal })),
    );
    const broken = runs.find(({ status }) => status === "failed" || status === "cancelled");
    if (broken !== undefined) throw new ApiError(`its run ${broken.id} was ${broken.status}.`, 0);
    const done = runs.filter(({ status }) => status === "finished").length;
    if (done === runs.length) return;
    say(`Making its runs: ${formatCount(done)} of ${formatCount(runs.length)}…`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function save(name: string): void {
  const link = document.createElement("a");
  link.href = `api/lessons/${encodeURIComponent(name)}/handout`;
  link.download = "";
  link.click();
}
