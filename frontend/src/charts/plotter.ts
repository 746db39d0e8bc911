/** Draws one chart in its container: reads the view, and asks Plotly only for what is new. */

import { compose, type Drawn, isPanels, outline } from "./compose";
import { type PlotElement, type PlotlyStatic, plotly } from "./plotly";
import { type Drawable, INTERVAL, scheduler } from "./scheduler";
import { signature, type View } from "./view";

/** A range of the x or y axis that the reader has dragged out. */
export interface ZoomChange {
  x?: [number, number];
  y?: [number, number];
}

export interface PlotterEvents {
  /** What to draw now; null: nothing yet. The container's size is given. */
  read(width: number, height: number): View | null;
  drawn(drawn: Drawn): void;
  zoomed(change: ZoomChange): void;
  failed(reason: string): void;
}

const CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  doubleClick: false,
  responsive: false,
  scrollZoom: false,
  showTips: false,
};

export class Plotter implements Drawable {
  /** Small multiples cost the most and change the least. */
  interval = INTERVAL;
  private library: PlotlyStatic | null = null;
  private last = "";
  private onScreen = false;
  private dragging = false;
  private listening = false;
  private readonly sizes: ResizeObserver;
  private readonly sight: IntersectionObserver;
  private readonly touch = matchMedia("(pointer: coarse)").matches;

  constructor(
    private readonly host: HTMLElement,
    private readonly events: PlotterEvents,
  ) {
    this.sizes = new ResizeObserver(() => this.request());
    this.sizes.observe(host);
    this.sight = new IntersectionObserver(
      (entries) => {
        this.onScreen = entries.at(-1)?.isIntersecting ?? false;
        if (this.onScreen) scheduler.wake();
      },
      { rootMargin: "100px" },
    );
    this.sight.observe(host);
    host.addEventListener("pointerdown", this.startDrag);
    scheduler.add(this);
    plotly().then(
      (library) => {
        this.library = library;
        this.request();
      },
      (reason: Error) => events.failed(reason.message),
    );
  }

  request(): void {
    scheduler.request(this);
  }

  visible(): boolean {
    // A redraw in the middle of a drag would take the reader's zoom box away.
    return this.onScreen && !this.dragging && this.library !== null;
  }

  draw(): boolean {
    const view = this.events.read(this.host.clientWidth, this.host.clientHeight);
    if (this.library === null || view === null || view.width < 60 || view.height < 60) return false;
    const sketch = outline(view);
    const next = signature(view, sketch.curves, sketch.x.range);
    if (next === this.last) return false;
    this.last = next;
    this.interval = isPanels(view) ? 4 * INTERVAL : INTERVAL;
    const drawn = compose(sketch);
    const { data, layout } = drawn.figure;
    if (this.touch) layout.dragmode = false; // a finger scrolls the page
    this.library
      .react(this.host, data, layout, CONFIG)
      .then(this.listen, (reason: Error) => this.events.failed(reason.message));
    this.events.drawn(drawn);
    return true;
  }

  dispose(): void {
    scheduler.remove(this);
    this.sizes.disconnect();
    this.sight.disconnect();
    this.host.removeEventListener("pointerdown", this.startDrag);
    window.removeEventListener("pointerup", this.endDrag);
    this.library?.purge(this.host);
  }

  private readonly listen = (element: PlotElement): void => {
    if (this.listening) return;
    this.listening = true;
    element.on("plotly_relayout", (change) => {
      const found = zoomOf(change);
      if (found !== null) this.events.zoomed(found);
    });
  };

  private readonly startDrag = (): void => {
    this.dragging = true;
    window.addEventListener("pointerup", this.endDrag, { once: true });
    window.addEventListener("pointercancel", this.endDrag, { once: true });
  };

  private readonly endDrag = (): void => {
    this.dragging = false;
    this.request();
  };
}

/** The ranges in Plotly's account of what a drag changed; null where it changed none. */
export function zoomOf(change: Record<string, unknown>): ZoomChange | null {
  const found: ZoomChange = {};
  for (const [key, value] of Object.entries(change)) {
    const match = /^([xy])axis\d*\.range\[0\]$/.exec(key);
    const end = change[key.replace("[0]", "[1]")];
    if (match !== null && typeof value === "number" && typeof end === "number") {
      found[match[1] as "x" | "y"] = [value, end];
    }
  }
  return found.x === undefined && found.y === undefined ? null : found;
}
