/**
 * Connections to the server, shared by all who follow a run.
 *
 * Browsers open six connections to a server at most, and each stream holds one for as long as its
 * run goes on: the seventh tab would not load. So all tabs of a browser talk to one hub, in a
 * shared worker (`hubWorker.ts`). It holds one stream per run, and few at a time: where more runs
 * are followed, streams take turns, and each goes on from where it was.
 */

import { type Connection, type Listener, type RunMessage, RunSource } from "./source";

/** What a follower says. `follow` comes first, and again where it knows that events are missing. */
export type Request =
  | { kind: "follow"; address: string; keepalive: number; after: number }
  /** Someone looks at the page again, or wants no more waiting for a lost connection. */
  | { kind: "look" }
  /** Is the hub there? */
  | { kind: "ask" }
  | { kind: "leave" };

/** What a follower hears. */
export type Answer =
  | { kind: "message"; message: RunMessage }
  | { kind: "connection"; connection: Connection; retryIn: number }
  /** There was nothing to say, but the hub is there. */
  | { kind: "alive" };

/** One end of a line between a follower and the hub: a `MessagePort` is one. */
export interface Port {
  postMessage(message: Request | Answer): void;
  onmessage: ((event: { data: Request | Answer }) => void) | null;
}

/** Streams at a time: they leave two of six connections for everything else. */
const MOST_STREAMS = 4;
/** How long each stream has its turn where more are wanted. */
const TURN_MS = 3000;

interface Follower {
  port: Port;
  /** The last event that it has. */
  after: number;
}

class SharedRun implements Listener {
  readonly followers = new Set<Follower>();
  readonly source: RunSource;
  private told: Answer | null = null;

  constructor(
    address: string,
    keepalive: number,
    after: number,
    private readonly ended: () => void,
  ) {
    this.source = new RunSource(address, keepalive, after, this);
  }

  /** Where the follower lacks what has passed already, the stream begins again there. */
  join(follower: Follower): void {
    this.followers.add(follower);
    if (follower.after < this.source.position) this.source.open(follower.after);
    else if (this.told !== null) follower.port.postMessage(this.told);
  }

  onMessage(message: RunMessage): void {
    for (const follower of this.followers) {
      if (message.seq !== 0 && message.seq <= follower.after) continue; // it has that one
      if (message.seq !== 0) follower.after = message.seq;
      follower.port.postMessage({ kind: "message", message });
    }
  }

  onPing(): void {
    for (const { port } of this.followers) port.postMessage({ kind: "alive" });
  }

  onConnection(connection: Connection, retryIn: number): void {
    this.told = { kind: "connection", connection, retryIn };
    for (const { port } of this.followers) port.postMessage(this.told);
    if (connection === "closed" || connection === "gone") this.ended();
  }
}

export class Hub {
  /** By address; in the order of their turns, those that have theirs first. */
  private readonly runs = new Map<string, SharedRun>();
  private readonly active = new Set<SharedRun>();
  private turns: ReturnType<typeof setInterval> | undefined;

  /** Serves whoever is at the other end of the line. */
  connect(port: Port): void {
    let run: SharedRun | null = null;
    const follower: Follower = { port, after: 0 };
    port.onmessage = ({ data }) => {
      switch (data.kind) {
        case "follow":
          follower.after = data.after;
          if (run?.followers.has(follower)) run.source.reopen(data.after);
          else run = this.join(data, follower);
          break;
        case "look":
          if (run !== null && this.active.has(run)) run.source.look();
          break;
        case "ask":
          port.postMessage({ kind: "alive" });
          break;
        case "leave":
          run?.followers.delete(follower);
          if (run?.followers.size === 0) this.drop(run);
          run = null;
      }
    };
  }

  private join({ address, keepalive, after }: Request & { kind: "follow" }, follower: Follower) {
    let run = this.runs.get(address);
    if (run === undefined) {
      const made = new SharedRun(address, keepalive, after, () => this.drop(made));
      run = made;
      this.runs.set(address, run);
      run.followers.add(follower);
      this.fill();
    } else {
      run.join(follower);
    }
    return run;
  }

  private drop(run: SharedRun): void {
    run.source.close();
    this.active.delete(run);
    for (const [address, known] of this.runs) if (known === run) this.runs.delete(address);
    this.fill();
  }

  /** Gives free places to runs that wait, and starts or stops the turns. */
  private fill(): void {
    for (const run of this.runs.values()) {
      if (this.active.size >= MOST_STREAMS) break;
      if (this.active.has(run)) continue;
      this.active.add(run);
      run.source.open();
    }
    const wanted = this.runs.size > MOST_STREAMS;
    if (wanted === (this.turns !== undefined)) return;
    clearInterval(this.turns);
    this.turns = wanted ? setInterval(() => this.turn(), TURN_MS) : undefined;
  }

  /** The stream that has had its turn longest makes place for the one that waits longest. */
  private turn(): void {
    for (const [address, run] of this.runs) {
      if (!this.active.delete(run)) continue;
      run.source.close();
      this.runs.delete(address);
      this.runs.set(address, run);
      break;
    }
    for (const run of this.runs.values()) run.onPing();
    this.fill();
  }
}

/** A line within the page, without a worker between its ends. */
export function line(): [Port, Port] {
  const end = (other: () => Port): Port => ({
    onmessage: null,
    postMessage: (data) => other().onmessage?.({ data }),
  });
  const first = end(() => second);
  const second = end(() => first);
  return [first, second];
}
