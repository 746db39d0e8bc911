/** The queue of a shared lab, for its admin: who waits, in which order; stop one, stop all. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, request, send } from "../../api/client";
import type { Schemas } from "../../api/types";
import { formatCount } from "../../format";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/Link";
import { SureButton } from "../../ui/SureButton";
import { change } from "./list";
import { visitor } from "./visitor";

const REFRESH_MS = 2000;

const queue = signal<Schemas["QueueView"] | null>(null);

async function load(): Promise<void> {
  try {
    queue.value = await request<Schemas["QueueView"]>("api/queue");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // it is asked again soon
  }
}

async function act(path: string): Promise<void> {
  await change(send("POST", path));
  await load();
}

export function QueuePanel() {
  const isAdmin = visitor.value?.is_admin === true;
  useEffect(() => {
    if (!isAdmin) return;
    void load();
    const timer = setInterval(() => document.hidden || void load(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [isAdmin]);
  const found = queue.value;
  if (!isAdmin || found === null) return null;
  const { running, waiting } = found;
  return (
    <section class="panel queue" aria-label="Queue">
      <div class="runs-head">
        <h3>
          Queue{" "}
          <small>
            {formatCount(running.length)} running, {formatCount(waiting.length)} waiting
          </small>
        </h3>
        <div class="run-actions">
          <SureButton
            sure={`Really stop ${formatCount(waiting.length)} waiting?`}
            disabled={waiting.length === 0}
            onSure={() => void act("api/queue/clear")}
          >
            Clear the queue
          </SureButton>
          <SureButton
            sure={`Really stop all ${formatCount(running.length + waiting.length)}?`}
            disabled={running.length + waiting.length === 0}
            onSure={() => void act("api/queue/clear?running=true")}
          >
            Stop all
          </SureButton>
        </div>
      </div>
      {running.length + waiting.length === 0 && <p class="hint">Nothing runs and nothing waits.</p>}
      <ol class="queue-list">
        {[...running, ...waiting].map((item, index) => (
          <QueueRow key={item.id} item={item} place={index - running.length + 1} />
        ))}
      </ol>
    </section>
  );
}

function QueueRow({ item, place }: { item: Schemas["QueuedRun"]; place: number }) {
  const progress = `step ${formatCount(item.step)} of ${formatCount(item.steps)}`;
  return (
    <li>
      <span class="queue-place">{place > 0 ? place : "now"}</span>
      <span class="run-what">
        <Link to={{ path: `runs/${item.id}`, search: "" }}>{item.title}</Link>{" "}
        <small>
          {place > 0 ? `${formatCount(item.steps)} steps` : progress}
          {item.visitor != null && ` · visitor ${item.visitor}`}
        </small>
      </span>
      <button
        type="button"
        class="icon-button"
        aria-label={`Stop ${item.title}, ${place > 0 ? `place ${place}` : "running"}`}
        data-tip="Stop it: what it has computed stays"
        onClick={() => void act(`api/runs/${item.id}/stop?ended_ok=true`)}
      >
        <Icon name="stop" />
      </button>
    </li>
  );
}
