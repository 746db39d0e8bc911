/** One run of the server, followed: its events become logs, at most ten a second. */

import { type ReadonlySignal, signal } from "@preact/signals";
import { ApiError } from "../api/client";
import type { Connection } from "../api/source";
import { RunStream } from "../api/stream";
import type { RunEvent, Spec, Submitted } from "../api/types";
import type { RunLog } from "./log";
import { type Applied, RunStore } from "./store";

/** How a run is followed. */
export type FollowState =
  /** It waits for a worker; `place` in the queue, from 1, once it is known. */
  | { kind: "queued"; place: number | null }
  | { kind: "following" }
  /** The connection broke. The run goes on, and the page connects again by itself. */
  | { kind: "lost"; retryIn: number }
  /** All of its events are here. */
  | { kind: "ended" }
  /** The server has removed it. */
  | { kind: "gone" };

export interface FollowOptions {
  id: string;
  /** As far as it is known before the run says it itself. */
  spec: Spec;
  status: Submitted["status"];
  position: number | null;
  /** Whether this visitor may stop it: of a shared lab, only whoever started it, and the admin. */
  changeable: boolean;
  /** Seconds of silence after which the server sends a ping. */
  keepalive?: number;
  /** Whether it was asked for on this page as a what-if, so that nobody else waits for it. */
  isOwnFork?: boolean;
  /** Hears that the run has begun, with its complete spec. */
  onStarted?(following: Following, spec: Spec): void;
}

/** The server's default, as long as the catalog has not said it. */
const KEEPALIVE_SECONDS = 10;
/** At most ten redraws a second follow a run. */
const PUBLISH_MS = 100;

interface Waiter {
  step: number;
  resolve(): void;
  reject(reason: unknown): void;
}

export class Following {
  private readonly store: RunStore;
  private readonly stream: RunStream;
  private readonly published;
  private readonly current;
  private readonly waiters = new Set<Waiter>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: FollowOptions) {
    const { id, spec, status, position, keepalive = KEEPALIVE_SECONDS } = options;
    this.store = new RunStore(id, spec);
    this.published = signal(this.store.log);
    this.current = signal<FollowState>(
      status === "queued" ? { kind: "queued", place: position } : { kind: "following" },
    );
    this.stream = new RunStream(id, keepalive, {
      after: () => this.store.seq,
      onEvent: (event) => this.receive(event),
      onPosition: ({ position: place }) => {
        this.current.value = { kind: "queued", place };
      },
      onConnection: (connection, retryIn) => this.connected(connection, retryIn),
    });
    this.stream.start();
  }

  /** The run as far as it has come. */
  get log(): ReadonlySignal<RunLog> {
    return this.published;
  }

  get state(): ReadonlySignal<FollowState> {
    return this.current;
  }

  /** Whether it still computes, and for this page alone. */
  get isOwn(): boolean {
    return this.options.isOwnFork === true && !this.store.ended;
  }

  /** Whether this visitor may stop it. */
  get isChangeable(): boolean {
    return this.options.changeable;
  }

  /** Resolves once the log has `step` or has ended; rejects where `signal` says so first. */
  reached(step: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const waiter = { step, resolve, reject };
      this.waiters.add(waiter);
      signal.addEventListener("abort", () => {
        this.waiters.delete(waiter);
        reject(signal.reason);
      });
      this.wake();
    });
  }

  /** Tries a lost connection again at once. */
  retry(): void {
    this.stream.retry();
  }

  /** Stops following; the run itself goes on. */
  close(): void {
    this.stream.close();
    clearTimeout(this.timer);
  }

  private receive(event: RunEvent): Applied {
    const applied = this.store.apply(event);
    if (applied !== "applied") return applied;
    if (event.type === "started") {
      this.current.value = { kind: "following" };
      this.publish();
      this.options.onStarted?.(this, event.spec);
    } else if (this.store.ended) {
      this.publish();
    } else {
      this.timer ??= setTimeout(() => this.publish(), PUBLISH_MS);
    }
    this.wake();
    return applied;
  }

  private publish(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.published.value = this.store.log;
  }

  private connected(connection: Connection, retryIn: number): void {
    if (connection === "lost") this.current.value = { kind: "lost", retryIn };
    else if (connection === "closed") this.current.value = { kind: "ended" };
    else if (connection === "live" && this.current.peek().kind === "lost") {
      this.current.value = { kind: "following" };
    } else if (connection === "gone") {
      this.current.value = { kind: "gone" };
      const reason = new ApiError("This run was removed from the server.", 404);
      for (const waiter of this.waiters) waiter.reject(reason);
    }
  }

  private wake(): void {
    for (const waiter of this.waiters) {
      if (!this.store.hasReached(waiter.step)) continue;
      this.waiters.delete(waiter);
      this.publish();
      waiter.resolve();
    }
  }
}
