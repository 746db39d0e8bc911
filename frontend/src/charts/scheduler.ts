/**
 * Shares the main thread out among the charts.
 *
 * Drawing one chart costs Plotly 10 to 20 ms, so charts are drawn one a frame, the longest waiting
 * first, each at most ten times a second. While the run plays they are drawn together: all show one
 * time, and the clock waits for them (`busy`). After each the page has a while to itself, the longer the
 * more the chart cost: a busy machine gets fewer drawings, not a slower page. What nobody sees is
 * not drawn until it is seen.
 */

export interface Drawable {
  /** Draws if there is anything new; false where there was not (it then cost next to nothing). */
  draw(): boolean;
  /** Milliseconds between two drawings, where it may be drawn less often than others. */
  readonly interval?: number;
  /** Whether any of it is on the screen. */
  visible(): boolean;
}

/** Where time comes from: the browser's, or a test's. */
export interface Clock {
  now(): number;
  /** Calls back at the next frame. */
  frame(callback: () => void): void;
}

/** Milliseconds between two drawings of one chart, at the least. */
export const INTERVAL = 100;

/** A drawing that takes this long is followed by as long a rest; twice as long, by four times. */
const EASY = 7;
const LONGEST_REST = 300;

interface Entry {
  target: Drawable;
  /** Since when it has waited to be drawn; null: nothing to do. */
  since: number | null;
  drawn: number;
}

/** While the run plays, the page has at least as long to itself as all drawings of a frame took. */
const SHARE_OF_PLAY = 1;

export class Scheduler {
  /** Whether all charts are drawn in one frame, so that they never show different steps. */
  together: () => boolean = () => false;
  private readonly entries = new Map<Drawable, Entry>();
  private running = false;
  private restUntil = Number.NEGATIVE_INFINITY;

  constructor(private readonly clock: Clock) {}

  add(target: Drawable): void {
    this.entries.set(target, { target, since: null, drawn: Number.NEGATIVE_INFINITY });
  }

  remove(target: Drawable): void {
    this.entries.delete(target);
  }

  /** Says that a chart may look different now; calling it often costs nothing. */
  request(target: Drawable): void {
    const entry = this.entries.get(target);
    if (entry === undefined) return;
    entry.since ??= this.clock.now();
    this.wake();
  }

  /** Something became visible or resumed: looks again. */
  wake(): void {
    if (this.running) return;
    this.running = true;
    this.clock.frame(this.tick);
  }

  /** Draws whatever differs, seen or not, before it returns: a printer waits for no frame. */
  drawNow(): void {
    for (const entry of this.entries.values()) {
      entry.since = null;
      if (entry.target.draw()) entry.drawn = this.clock.now();
    }
  }

  /** Whether what was asked for is not drawn yet, or the page has its while to itself. */
  get busy(): boolean {
    if (!this.running) return false;
    if (this.clock.now() < this.restUntil) return true;
    return [...this.entries.values()].some(
      ({ since, target }) => since !== null && target.visible(),
    );
  }

  private readonly tick = (): void => {
    const started = this.clock.now();
    const waiting = [...this.entries.values()].filter(
      (entry) => entry.since !== null && entry.target.visible(),
    );
    if (waiting.length === 0) {
      this.running = false;
      return;
    }
    this.clock.frame(this.tick);
    if (started < this.restUntil) return;
    if (this.together()) {
      this.drawAll(waiting, started);
      return;
    }
    waiting.sort((a, b) => (a.since as number) - (b.since as number));
    for (const entry of waiting) {
      if (started - entry.drawn < (entry.target.interval ?? INTERVAL)) continue;
      entry.since = null;
      if (!entry.target.draw()) continue;
      const ended = this.clock.now();
      const cost = ended - started;
      // The first pictures are what the reader waits for.
      const first = entry.drawn === Number.NEGATIVE_INFINITY;
      this.restUntil = first ? ended : ended + Math.min(LONGEST_REST, (cost * cost) / EASY);
      entry.drawn = ended;
      return;
    }
  };

  private drawAll(waiting: readonly Entry[], started: number): void {
    for (const entry of waiting) {
      entry.since = null;
      if (entry.target.draw()) entry.drawn = this.clock.now();
    }
    const ended = this.clock.now();
    this.restUntil = ended + Math.min(LONGEST_REST, SHARE_OF_PLAY * (ended - started));
  }
}

/** The one that all charts of the page share. */
export const scheduler = new Scheduler({
  now: () => performance.now(),
  frame: (callback) => requestAnimationFrame(callback),
});
