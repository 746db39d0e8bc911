/** One chart in its container: reads the view, and hears of zooms. */

import { compose, type Drawn, isPanels, outline } from "./compose";
import { Painter } from "./painter";
import type { Figure, PlotElement } from "./plotly";
import { INTERVAL } from "./scheduler";
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

/** A chart as a subject of its painter. */
export class Plotter {
  private readonly painter: Painter;
  private last = "";
  private latest: Drawn | null = null;
  private listening = false;
  private readonly touch = matchMedia("(pointer: coarse)").matches;

  constructor(
    private readonly host: HTMLElement,
    private readonly events: PlotterEvents,
  ) {
    host.addEventListener("pointerdown", this.startDrag);
    this.painter = new Painter(host, {
      next: (width, height) => this.next(width, height),
      painted: () => {
        if (this.latest !== null) events.drawn(this.latest);
      },
      drawn: this.listen,
      failed: events.failed,
    });
  }

  request(): void {
    this.painter.request();
  }

  dispose(): void {
    this.painter.dispose();
    this.host.removeEventListener("pointerdown", this.startDrag);
    window.removeEventListener("pointerup", this.endDrag);
  }

  private next(width: number, height: number): Figure | null {
    const view = this.events.read(width, height);
    if (view === null) return null;
    const sketch = outline(view);
    const next = signature(view, sketch.curves, sketch.x.range);
    if (next === this.last) return null;
    this.last = next;
    // Small multiples cost the most and change the least.
    this.painter.interval = isPanels(view) ? 4 * INTERVAL : INTERVAL;
    this.latest = compose(sketch);
    const { figure } = this.latest;
    if (this.touch) figure.layout.dragmode = false; // a finger scrolls the page
    return figure;
  }

  private readonly listen = (element: PlotElement): void => {
    if (this.listening) return;
    this.listening = true;
    element.on("plotly_relayout", (change) => {
      const found = zoomOf(change);
      if (found !== null) this.events.zoomed(found);
    });
  };

  /** A redraw in the middle of a drag would take the reader's zoom box away. */
  private readonly startDrag = (): void => {
    this.painter.held = true;
    window.addEventListener("pointerup", this.endDrag, { once: true });
    window.addEventListener("pointercancel", this.endDrag, { once: true });
  };

  private readonly endDrag = (): void => {
    this.painter.held = false;
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
