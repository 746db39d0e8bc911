/** A run's events as they come, over one EventSource that heals itself. */

import type { RunEvent, Schemas } from "./types";

/** Every type of event has a listener; the compiler insists on it. */
const TYPES: Record<RunEvent["type"], true> = {
  started: true,
  metrics: true,
  curvature: true,
  evaluation: true,
  examples: true,
  landscape: true,
  spike: true,
  changed: true,
  snapshot: true,
  diverged: true,
  finished: true,
  failed: true,
  cancelled: true,
};

const LAST = new Set<string>(["finished", "failed", "cancelled"]);

/** Seconds before each attempt to connect again. */
const BACKOFF = [0.5, 1, 2, 4, 8];

export type Connection = "connecting" | "live" | "lost" | "gone" | "closed";

export interface StreamHandlers {
  /** `gap`: the event does not follow the one before; the stream asks again from `after()`. */
  onEvent(event: RunEvent): "applied" | "duplicate" | "gap";
  onPosition(position: number): void;
  /** `retryIn`: seconds until the next attempt, when `lost`. */
  onConnection(connection: Connection, retryIn: number): void;
  /** Number of the last event that the page has. */
  after(): number;
}

export class RunStream {
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempts = 0;
  private closed = false;

  constructor(
    private readonly id: string,
    private readonly handlers: StreamHandlers,
  ) {}

  start(): void {
    this.connect();
  }

  /** Ends the stream for good. */
  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  /** Tries again at once. */
  retry(): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.connect();
  }

  private connect(): void {
    this.source?.close();
    const path = `api/runs/${encodeURIComponent(this.id)}/events?after=${this.handlers.after()}`;
    const source = new EventSource(path);
    this.source = source;
    if (this.attempts === 0) this.handlers.onConnection("connecting", 0);
    source.onopen = () => {
      this.attempts = 0;
      this.handlers.onConnection("live", 0);
    };
    source.onerror = () => this.lost(source);
    for (const type of Object.keys(TYPES)) {
      source.addEventListener(type, (message) => this.receive(source, message));
    }
    source.addEventListener("queue", (message) => this.receivePosition(message));
  }

  private receive(source: EventSource, message: MessageEvent<string>): void {
    if (source !== this.source) return; // a stream that was replaced
    const event = JSON.parse(message.data) as RunEvent;
    if (this.handlers.onEvent(event) === "gap") {
      this.lost(source);
      return;
    }
    if (LAST.has(event.type)) {
      this.close();
      this.handlers.onConnection("closed", 0);
    }
  }

  private receivePosition(message: MessageEvent<string>): void {
    const { position } = JSON.parse(message.data) as Schemas["QueuePosition"];
    this.handlers.onPosition(position);
  }

  private lost(source: EventSource): void {
    if (source !== this.source || this.closed) return;
    source.close();
    const wait = BACKOFF[Math.min(this.attempts, BACKOFF.length - 1)] as number;
    this.attempts++;
    this.handlers.onConnection("lost", wait);
    this.timer = setTimeout(() => void this.reconnect(), wait * 1000);
  }

  /** An EventSource does not say why it failed: ask whether the run is still there. */
  private async reconnect(): Promise<void> {
    const answer = await fetch(`api/runs/${encodeURIComponent(this.id)}`).catch(() => null);
    if (this.closed) return;
    if (answer?.status === 404) {
      this.close();
      this.handlers.onConnection("gone", 0);
    } else {
      this.connect();
    }
  }
}
