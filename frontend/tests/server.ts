/** A server for unit tests: answers by address, and event streams that the test speaks into. */

import { vi } from "vitest";
import type { RunEvent } from "../src/api/types";

/** What the page asked: `GET api/runs/a`. */
type Asked = string;

export class FakeServer {
  readonly asked: Asked[] = [];
  readonly streams: FakeStream[] = [];
  private readonly answers = new Map<Asked, unknown>();

  constructor() {
    const { streams } = this;
    vi.stubGlobal("fetch", (path: string, init: RequestInit = {}) => this.fetch(path, init));
    vi.stubGlobal(
      "EventSource",
      class extends FakeStream {
        constructor(address: string) {
          super(address);
          streams.push(this);
        }
      },
    );
  }

  /** What a request gets: JSON, or, of a number, an error with that status. */
  answer(asked: Asked, body: unknown): void {
    this.answers.set(asked, body);
  }

  /** The newest stream of a run. */
  stream(id: string): FakeStream {
    const found = this.streams.findLast(({ address }) => address.includes(`api/runs/${id}/`));
    if (found === undefined) throw new Error(`nobody follows ${id}`);
    return found;
  }

  private async fetch(path: string, { method = "GET", signal }: RequestInit): Promise<Response> {
    const asked = `${method} ${path}`;
    this.asked.push(asked);
    await Promise.resolve();
    signal?.throwIfAborted();
    const body = this.answers.get(asked);
    if (body === undefined) return Response.json({ detail: "no such thing" }, { status: 404 });
    if (typeof body === "number") return Response.json({ detail: "refused" }, { status: body });
    return Response.json(body);
  }
}

interface Message {
  data: string;
  lastEventId: string;
}

class FakeStream {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  private readonly listeners = new Map<string, (message: Message) => void>();

  constructor(readonly address: string) {}

  addEventListener(type: string, listener: (message: Message) => void): void {
    this.listeners.set(type, listener);
  }

  close(): void {
    this.closed = true;
  }

  say(...events: readonly RunEvent[]): void {
    for (const event of events) this.send(event.type, event, String(event.seq));
  }

  send(type: string, data: unknown, lastEventId = ""): void {
    this.listeners.get(type)?.({ data: JSON.stringify(data), lastEventId });
  }
}
