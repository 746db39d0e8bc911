/**
 * A run's messages from the server, over one EventSource that heals itself.
 *
 * It runs where the hub runs (`hub.ts`) and does not look into the events. It recognises a dead
 * connection by its silence, because the server sends something at least every `keepalive` seconds.
 */

import type { RunEvent } from "./types";

/** Every type of event has a listener; the compiler insists on it. */
const TYPES: Record<RunEvent["type"], true> = {
  started: true,
  metrics: true,
  curvature: true,
  evaluation: true,
  examples: true,
  landscape: true,
  spike: true,
  notice: true,
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

/** A connection is lost after this many pings that did not come; 10 s between them make 25. */
const PINGS_MISSED = 2.5;
const LEAST_PATIENCE_MS = 1500;
const WATCH_MS = 500;

export type Connection = "connecting" | "live" | "lost" | "gone" | "closed";

/** `queue`, or an event, whose `seq` is its number; `data` is JSON. */
export interface RunMessage {
  type: string;
  seq: number;
  data: string;
}

export interface Listener {
  onMessage(message: RunMessage): void;
  onPing(): void;
  /** `retryIn`: seconds until the next attempt, when `lost`. */
  onConnection(connection: Connection, retryIn: number): void;
}

export class RunSource {
  private source: EventSource | null = null;
  private retrying: ReturnType<typeof setTimeout> | undefined;
  private watching: ReturnType<typeof setInterval> | undefined;
  private attempts = 0;
  private heard = 0;

  /**
   * `address`: of the run on the server; `after`: the last event that is known; `keepalive`:
   * seconds of silence after which the server sends a ping.
   */
  constructor(
    private readonly address: string,
    private readonly keepalive: number,
    private after: number,
    private readonly listener: Listener,
  ) {}

  /** Number of the newest event that came. */
  get position(): number {
    return this.after;
  }

  /** Connects, or connects again from `after` on. */
  open(after = this.after): void {
    this.after = after;
    this.close();
    const source = new EventSource(`${this.address}/events?after=${after}`);
    this.source = source;
    this.heard = Date.now();
    this.watching = setInterval(() => this.watch(source), WATCH_MS);
    if (this.attempts === 0) this.listener.onConnection("connecting", 0);
    source.onopen = () => {
      this.heard = Date.now();
      this.attempts = 0;
      this.listener.onConnection("live", 0);
    };
    source.onerror = () => this.lose(source);
    for (const type of [...Object.keys(TYPES), "queue"]) {
      source.addEventListener(type, (message) => this.receive(source, type, message));
    }
    source.addEventListener("ping", () => {
      this.heard = Date.now();
      this.listener.onPing();
    });
  }

  close(): void {
    clearTimeout(this.retrying);
    clearInterval(this.watching);
    this.source?.close();
    this.source = null;
  }

  /** Someone looks: after a sleep nobody may know yet that the connection is dead. */
  look(): void {
    if (this.source === null || Date.now() - this.heard > this.keepalive * 1000) this.open();
  }

  /** Connects again from `after` on in a while: events before the newest one are missing. */
  reopen(after: number): void {
    this.after = after;
    if (this.source !== null) this.lose(this.source);
  }

  private receive(source: EventSource, type: string, { data, lastEventId }: MessageEvent<string>) {
    if (source !== this.source) return; // a stream that was replaced
    this.heard = Date.now();
    const seq = Number(lastEventId);
    if (type === "queue") {
      this.listener.onMessage({ type, seq: 0, data });
      return;
    }
    this.after = seq;
    this.listener.onMessage({ type, seq, data });
    if (LAST.has(type) && source === this.source) {
      this.close();
      this.listener.onConnection("closed", 0);
    }
  }

  /** By the clock on the wall: it goes on while the machine sleeps. */
  private watch(source: EventSource): void {
    const patience = Math.max(LEAST_PATIENCE_MS, PINGS_MISSED * this.keepalive * 1000);
    if (Date.now() - this.heard > patience) this.lose(source);
  }

  private lose(source: EventSource): void {
    if (source !== this.source) return;
    this.close();
    const wait = BACKOFF[Math.min(this.attempts, BACKOFF.length - 1)] as number;
    this.attempts++;
    this.listener.onConnection("lost", wait);
    this.retrying = setTimeout(() => void this.reconnect(this.retrying), wait * 1000);
  }

  /** An EventSource does not say why it failed: ask whether the run is still there. */
  private async reconnect(attempt: typeof this.retrying): Promise<void> {
    const limit = AbortSignal.timeout(PINGS_MISSED * this.keepalive * 1000);
    const answer = await fetch(this.address, { signal: limit }).catch(() => null);
    if (attempt !== this.retrying || this.source !== null) return;
    if (answer?.status === 404) {
      this.close();
      this.listener.onConnection("gone", 0);
    } else {
      this.open();
    }
  }
}
