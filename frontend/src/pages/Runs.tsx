/** What has been run: look again, keep, compare, remove. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, request, send } from "../api/client";
import type { RunInfo, RunPage } from "../api/types";
import { formatDuration } from "../format";
import { navigate } from "../state/address/router";
import { metricWords } from "../state/metrics";
import { Icon } from "../ui/Icon";
import { Link } from "../ui/Link";

const PAGE_SIZE = 30;
const REFRESH_MS = 3000;

const page = signal<RunPage | null>(null);
const problem = signal<string | null>(null);
const offset = signal(0);
/** The runs picked to be compared, at most two, in the order of picking. */
const picked = signal<string[]>([]);

/** Tasks of the runs seen so far: a picked one may stand on another page of the list. */
const tasksSeen = new Map<string, string>();

async function load(): Promise<void> {
  try {
    page.value = await request<RunPage>(`api/runs?limit=${PAGE_SIZE}&offset=${offset.value}`);
    for (const { id, task } of page.value.items) tasksSeen.set(id, task);
    problem.value = null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    problem.value = error.message;
  }
}

async function change(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    problem.value = error.message;
    return;
  }
  await load();
}

export function RunsPage() {
  useEffect(() => {
    void load();
    // Only runs in progress change by themselves.
    const timer = setInterval(() => {
      const going = page.peek()?.items.some((item) => item.ended === null) ?? true;
      if (going && !document.hidden) void load();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);

  const found = page.value;
  return (
    <main class="runs">
      <div class="runs-head">
        <h2>Runs</h2>
        <CompareBar />
      </div>
      {problem.value !== null && (
        <div class="notice notice-warn" role="alert">
          <p>{problem.value}</p>
          <button type="button" onClick={() => void load()}>
            Try again
          </button>
        </div>
      )}
      {found === null && problem.value === null && <p class="hint">Loading…</p>}
      {found !== null && found.total === 0 && (
        <section class="panel empty">
          <h2>No runs yet</h2>
          <p>Every run is kept here: to look at again, to compare, to share.</p>
          <Link to={{ path: "", search: "" }} class="button go">
            Train the first
          </Link>
        </section>
      )}
      {found !== null && found.items.length > 0 && (
        <>
          <ul class="run-list">
            {found.items.map((item) => (
              <RunRow key={item.id} item={item} />
            ))}
          </ul>
          <Pager total={found.total} />
        </>
      )}
    </main>
  );
}

function CompareBar() {
  const [first, second] = picked.value;
  const tasks = picked.value.map((id) => taskOf(id));
  const alike = tasks[0] === tasks[1];
  const ready = first !== undefined && second !== undefined && alike;
  return (
    <button
      type="button"
      class={ready ? "go" : ""}
      disabled={!ready}
      onClick={() => {
        if (ready) navigate({ path: `runs/${first}`, search: `?with=${second}` });
      }}
    >
      {ready
        ? "Compare the two"
        : second === undefined
          ? "Pick two finished runs to compare"
          : "Pick two of the same task: these have nothing in common"}
    </button>
  );
}

/** The task of a run that has been on this page; runs that are not any more differ from all. */
function taskOf(id: string): string {
  return tasksSeen.get(id) ?? id;
}

function RunRow({ item }: { item: RunInfo }) {
  const isPicked = picked.value.includes(item.id);
  const pick = () => {
    picked.value = isPicked
      ? picked.value.filter((id) => id !== item.id)
      : [...picked.value, item.id].slice(-2);
  };
  return (
    <li class="panel run-row">
      <label class="check" data-tip="Pick two finished runs to compare">
        <input
          type="checkbox"
          checked={isPicked}
          disabled={item.status !== "finished"}
          onChange={pick}
          aria-label={`Pick ${item.title} to compare`}
        />
      </label>
      <div class="run-what">
        <Link to={{ path: `runs/${item.id}`, search: "" }}>{item.title}</Link>
        <p>
          <span class={`status status-${item.status}`}>{statusWords(item)}</span>
          {` · seed ${item.seed} · ${item.device} · ${when(item.created)}`}
        </p>
        <p class="run-result">{resultWords(item)}</p>
      </div>
      <div class="run-actions">
        <button
          type="button"
          class="icon-button"
          aria-pressed={item.pinned}
          aria-label={item.pinned ? "Unpin" : "Pin"}
          data-tip={
            item.pinned
              ? "Kept for good. Press to let it go with the old ones"
              : "Keep for good: old runs make room for new ones"
          }
          onClick={() =>
            void change(send("PATCH", `api/runs/${item.id}`, { pinned: !item.pinned }))
          }
        >
          <Icon name={item.pinned ? "unpin" : "pin"} />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Fork"
          data-tip="Fork: take its settings into the controls"
          onClick={() => navigate({ path: "", search: `?like=${item.id}` })}
        >
          <Icon name="fork" />
        </button>
        <RemoveButton item={item} />
      </div>
    </li>
  );
}

const confirming = signal<string | null>(null);

/** Removing takes two presses of the same button. */
function RemoveButton({ item }: { item: RunInfo }) {
  const sure = confirming.value === item.id;
  return (
    <button
      type="button"
      class={sure ? "danger" : "icon-button"}
      aria-label={sure ? `Really remove ${item.title}` : "Remove"}
      data-tip={sure ? "" : "Remove the run with its log and weights"}
      onClick={() => {
        if (!sure) {
          confirming.value = item.id;
          return;
        }
        confirming.value = null;
        picked.value = picked.value.filter((id) => id !== item.id);
        void change(send("DELETE", `api/runs/${item.id}`));
      }}
      onBlur={() => {
        if (sure) confirming.value = null;
      }}
    >
      {sure ? "Really remove?" : <Icon name="remove" />}
    </button>
  );
}

function statusWords(item: RunInfo): string {
  switch (item.status) {
    case "queued":
      return item.position === null ? "queued" : `queued, place ${item.position}`;
    case "running":
      return `running, ${Math.floor((100 * item.step) / item.steps)} %`;
    case "failed":
      return `failed: ${item.error ?? "unknown reason"}`;
    case "cancelled":
      return `stopped at step ${item.step}`;
    default:
      return item.summary === null
        ? "finished"
        : `finished in ${formatDuration(item.summary.seconds)}`;
  }
}

/** Each arm's last result: "Vanilla 24.9 %, Fisher 29.1 %". */
function resultWords(item: RunInfo): string {
  const { summary } = item;
  if (summary === null) return item.arms.map((arm) => arm.label).join(", ");
  const words = metricWords(summary.primary_metric);
  const results = summary.arms.map((arm) => {
    const value = arm.metrics[summary.primary_metric];
    if (arm.status === "diverged") return `${arm.label} diverged`;
    return value == null ? arm.label : `${arm.label} ${words.value(value)}`;
  });
  return `${words.title}: ${results.join(", ")}`;
}

function when(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

function Pager({ total }: { total: number }) {
  if (total <= PAGE_SIZE) return null;
  const go = (to: number) => {
    offset.value = to;
    void load();
  };
  const last = Math.min(total, offset.value + PAGE_SIZE);
  return (
    <nav class="pager" aria-label="Pages of runs">
      <button
        type="button"
        disabled={offset.value === 0}
        onClick={() => go(Math.max(0, offset.value - PAGE_SIZE))}
      >
        Newer
      </button>
      <span>
        {offset.value + 1} to {last} of {total}
      </span>
      <button type="button" disabled={last >= total} onClick={() => go(offset.value + PAGE_SIZE)}>
        Older
      </button>
    </nav>
  );
}
