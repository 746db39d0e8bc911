/** Draws figures in a container: when it is seen, in turn with the others, and only what is new. */

import { type Figure, type PlotElement, type PlotlyStatic, plotly } from "./plotly";
import { type Drawable, INTERVAL, scheduler } from "./scheduler";

/** What is painted. */
export interface Subject {
  /** The figure for a container of this size, in pixels; null: nothing that is not drawn already. */
  next(width: number, height: number): Figure | null;
  /** The figure is handed to Plotly. */
  painted?(): void;
  /** Plotly has drawn it. */
  drawn?(element: PlotElement): void;
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

/** Pixels a side below which nothing can be read. */
const SMALLEST = 60;

export class Painter implements Drawable {
  /** Milliseconds between two drawings. */
  interval = INTERVAL;
  /** Nothing is drawn while it is held. */
  held = false;
  private library: PlotlyStatic | null = null;
  private wasDeep = false;
  private onScreen = false;
  private readonly sizes: ResizeObserver;
  private readonly sight: IntersectionObserver;

  constructor(
    private readonly host: HTMLElement,
    private readonly subject: Subject,
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
    scheduler.add(this);
    plotly().then(
      (library) => {
        this.library = library;
        this.request();
      },
      (reason: Error) => subject.failed(reason.message),
    );
  }

  request(): void {
    scheduler.request(this);
  }

  visible(): boolean {
    return this.onScreen && !this.held && this.library !== null;
  }

  draw(): boolean {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (this.library === null || width < SMALLEST || height < SMALLEST) return false;
    const figure = this.subject.next(width, height);
    if (figure === null) return false;
    // Between a surface and contours nothing is shared, and a forgotten canvas keeps its context.
    if (this.wasDeep !== isDeep(figure)) this.library.purge(this.host);
    this.wasDeep = isDeep(figure);
    this.library.react(this.host, figure.data, { ...figure.layout, width, height }, CONFIG).then(
      (element) => this.subject.drawn?.(element),
      (reason: Error) => this.subject.failed(reason.message),
    );
    this.subject.painted?.();
    return true;
  }

  dispose(): void {
    scheduler.remove(this);
    this.sizes.disconnect();
    this.sight.disconnect();
    this.library?.purge(this.host);
  }
}

/** Whether a figure has depth: Plotly draws it with WebGL. */
export function isDeep(figure: Figure): boolean {
  return figure.layout.scene !== undefined;
}
