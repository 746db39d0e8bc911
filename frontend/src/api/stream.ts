/** A run's events as they come, in order, by way of the hub that all tabs share. */

import { type Answer, Hub, line, type Port } from "./hub";
import type { Connection, RunMessage } from "./source";
import type { RunEvent, Schemas } from "./types";

/** How a page reaches the hub of its browser; without such a worker each page has its own hub. */
type Connect = (onFailure: () => void) => Port;

/** Pings that the hub passes on and that did not come, until the page asks whether it is there. */
const PINGS_MISSED = 4;
const LEAST_PATIENCE_MS = 3000;
const WATCH_MS = 1000;
/** Questions without an answer until it is dead. The first answer waits for its script to load. */
const MOST_UNANSWERED = 3;
const MOST_UNANSWERED_AT_FIRST = 12;

let own: Hub | null = null;
let connect: Connect = connectHere;

/** Has streams of this page use a hub that other tabs share. */
export function shareStreams(how: Connect): void {
  connect = how;
}

function connectHere(): Port {
  own ??= new Hub();
  const [here, there] = line();
  own.connect(there);
  return here;
}

export interface StreamHandlers {
  /** `gap`: the event does not follow the one before; the stream asks again from `after()`. */
  onEvent(event: RunEvent): "applied" | "duplicate" | "gap";
  onPosition(queue: Schemas["QueuePosition"]): void;
  /** `retryIn`: seconds until the next attempt, when `lost`. */
  onConnection(connection: Connection, retryIn: number): void;
  /** Number of the last event that the page has. */
  after(): number;
}

export class RunStream {
  private port: Port | null = null;
  private heard = 0;
  private hasAnswered = false;
  private unanswered = 0;
  private watching: ReturnType<typeof setInterval> | undefined;
  private readonly stop = new AbortController();

  /** `keepalive`: seconds of silence after which the server sends a ping. */
  constructor(
    private readonly id: string,
    private readonly keepalive: number,
    private readonly handlers: StreamHandlers,
  ) {}

  start(): void {
    this.follow(connect(() => this.goAlone()));
    if (typeof document === "undefined") return;
    const { signal } = this.stop;
    // A tab that was away does not wait until its timers notice that the connection is dead.
    const look = () => this.retry();
    document.addEventListener("visibilitychange", () => document.hidden || look(), { signal });
    addEventListener("online", look, { signal });
    // A page that is left may come back from the browser's cache, where it hears nothing.
    addEventListener("pagehide", () => this.port?.postMessage({ kind: "leave" }), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && this.ask(), { signal });
    this.watching = setInterval(() => this.watch(), WATCH_MS);
  }

  /** Ends the stream for good. */
  close(): void {
    this.stop.abort();
    clearInterval(this.watching);
    this.port?.postMessage({ kind: "leave" });
    this.port = null;
  }

  /** Tries again at once where the connection is lost, or may be. */
  retry(): void {
    this.port?.postMessage({ kind: "look" });
  }

  private follow(port: Port): void {
    if (this.stop.signal.aborted) return;
    this.port?.postMessage({ kind: "leave" }); // it may be late, not dead
    this.port = port;
    port.onmessage = ({ data }) => {
      if (port === this.port) this.hear(data as Answer);
    };
    this.ask();
  }

  /**
   * Notices when the shared worker has died. A living one passes on at least the server's pings, a
   * dead one is silent. But silence alone proves nothing, because a page that slept or was busy has
   * not yet read what came meanwhile. So the page asks the worker, reads between its questions, and
   * gives up after a number of unanswered questions, not of seconds.
   */
  private watch(): void {
    const patience = Math.max(LEAST_PATIENCE_MS, PINGS_MISSED * this.keepalive * 1000);
    if (connect === connectHere || Date.now() - this.heard <= patience) return;
    const most = this.hasAnswered ? MOST_UNANSWERED : MOST_UNANSWERED_AT_FIRST;
    if (this.unanswered++ < most) this.port?.postMessage({ kind: "ask" });
    else this.goAlone();
  }

  private goAlone(): void {
    connect = connectHere;
    this.follow(connectHere());
  }

  private ask(): void {
    this.heard = Date.now();
    this.unanswered = 0;
    const address = `api/runs/${encodeURIComponent(this.id)}`;
    this.port?.postMessage({
      kind: "follow",
      address: typeof document === "undefined" ? address : new URL(address, document.baseURI).href,
      keepalive: this.keepalive,
      after: this.handlers.after(),
    });
  }

  private hear(answer: Answer): void {
    this.heard = Date.now();
    this.hasAnswered = true;
    this.unanswered = 0;
    if (answer.kind === "message") {
      this.receive(answer.message);
      return;
    }
    if (answer.kind === "alive") return;
    const { connection, retryIn } = answer;
    if (connection === "closed" || connection === "gone") this.close();
    this.handlers.onConnection(connection, retryIn);
  }

  private receive({ type, data }: RunMessage): void {
    if (type === "queue") this.handlers.onPosition(JSON.parse(data) as Schemas["QueuePosition"]);
    else if (this.handlers.onEvent(JSON.parse(data) as RunEvent) === "gap") this.ask();
  }
}
