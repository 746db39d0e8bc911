/** The sweep on the page: its cells as they come, and the list of all sweeps. */

import { batch, type Signal, signal } from "@preact/signals";
import { ApiError } from "../../api/client";
import {
  followSweep,
  getSweep,
  listSweeps,
  postSweep,
  removeSweep,
  type SweepDetail,
  type SweepInfo,
  type SweepReport,
  type SweepRequest,
  type SweptRecord,
  stopSweep,
} from "../../api/sweeps";
import { navigate } from "../../state/address/router";
import { bestOf, shadesOf } from "./grid";

export interface Sweep {
  detail: SweepDetail;
  /** One signal a cell: a cell that comes draws itself and no other. */
  cells: readonly Signal<SweptRecord | null>[];
  done: Signal<number>;
  best: Signal<SweptRecord | null>;
  shades: Signal<[number, number] | null>;
  report: Signal<SweepReport | null>;
}

export const sweep = signal<Sweep | null>(null);
export const sweeps = signal<readonly SweepInfo[]>([]);
export const problem = signal<string | null>(null);
/** Whether an answer is awaited. */
export const waiting = signal(false);

/** Waits for the server; what it refuses is said. */
async function told<T>(work: Promise<T>): Promise<T | null> {
  try {
    const answer = await work;
    problem.value = null;
    return answer;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    problem.value = error.message;
    return null;
  }
}

export async function loadList(): Promise<void> {
  const found = await told(listSweeps());
  if (found !== null) sweeps.value = found.items;
}

function sweepOf(detail: SweepDetail): Sweep {
  const cells = Array.from({ length: detail.cells }, () => signal<SweptRecord | null>(null));
  for (const record of detail.done) {
    const cell = cells[record.index];
    if (cell !== undefined) cell.value = record;
  }
  const made: Sweep = {
    detail,
    cells,
    done: signal(0),
    best: signal(null),
    shades: signal(null),
    report: signal(detail.report),
  };
  judge(made);
  return made;
}

function judge({ cells, detail, done, best, shades }: Sweep): void {
  const records = cells.flatMap(({ value }) => value ?? []);
  const means = records.flatMap(({ mean }) => mean ?? []);
  done.value = records.length;
  best.value = bestOf(records, detail.metric.better);
  shades.value = shadesOf(means, detail.metric.better);
}

let leave = () => {};

/** Shows a sweep and follows it, until another is shown; returns how to stop. */
export function showSweep(id: string): () => void {
  leave();
  let left = false;
  let unfollow = () => {};
  void told(getSweep(id)).then((detail) => {
    if (left || detail === null) return;
    const shown = sweepOf(detail);
    sweep.value = shown;
    if (detail.status !== "running") return;
    unfollow = follow(shown, () => {
      void loadList();
      void told(getSweep(id)).then((ended) => {
        if (!left && ended !== null) sweep.value = sweepOf(ended);
      });
    });
  });
  leave = () => {
    left = true;
    unfollow();
    sweep.value = null;
  };
  return () => leave();
}

/** Cells that one frame draws at most: more of them are a pause that one sees. */
const AT_ONCE = 16;

/**
 * Cells that come within one frame are drawn together. All are judged, which shades them anew, only
 * once no more are waiting to be drawn.
 */
function follow(shown: Sweep, onEnd: () => void): () => void {
  const news: SweptRecord[] = [];
  let frame = 0;
  const draw = () => {
    batch(() => {
      for (const record of news.splice(0, AT_ONCE)) {
        const cell = shown.cells[record.index];
        if (cell !== undefined) cell.value = record;
      }
      if (news.length === 0) judge(shown);
    });
    frame = news.length === 0 ? 0 : requestAnimationFrame(draw);
  };
  const stop = followSweep(shown.detail.id, shown.detail.last_seq, {
    onCell(record) {
      news.push(record);
      if (frame === 0) frame = requestAnimationFrame(draw);
    },
    onReport(report) {
      shown.report.value = report;
    },
    onEnd,
  });
  return () => {
    stop();
    cancelAnimationFrame(frame);
  };
}

export async function start(wish: SweepRequest): Promise<void> {
  waiting.value = true;
  const started = await told(postSweep(wish));
  waiting.value = false;
  if (started === null) return;
  navigate({ path: `sweeps/${started.id}`, search: "" });
  void loadList();
}

export async function stop(shown: Sweep): Promise<void> {
  await told(stopSweep(shown.detail.id));
}

/** Goes on with a sweep that was stopped: the same wish is the same sweep. */
export async function resume({ detail }: Sweep): Promise<void> {
  const { id, spec, grid, seeds, report_seeds } = detail;
  const goes = await told(postSweep({ spec, grid, seeds: seeds.length, report_seeds }));
  if (goes === null) return;
  showSweep(id);
  void loadList();
}

/** Removes a sweep, and shows the list without it. */
export async function remove({ detail }: Sweep): Promise<void> {
  leave(); // the removal ends its events, which is no news to be asked about
  await told(removeSweep(detail.id));
  navigate({ path: "sweeps", search: "" });
  void loadList();
}
