/** A figure of a panel's own on the page: drawn when seen, in turn with the charts. */

import { type ReadonlySignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PlanePoint } from "./heights";
import { pointUnder } from "./plane";
import { type Figure, type PlotlyStatic, plotly } from "./plotly";
import { type Drawable, scheduler } from "./scheduler";

interface Props {
  /** What to draw, but for its size; null: nothing. Followed. */
  figure: ReadonlySignal<Figure | null>;
  /** What a screen reader hears. */
  label: string;
  /** A press on a point of the plane. */
  onPick?(point: PlanePoint): void;
  /** Hears of the element that it is drawn in. */
  onHost?(element: HTMLElement): void;
}

const CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  doubleClick: false,
  responsive: false,
  scrollZoom: false,
  showTips: false,
};

/** Pixels that a pointer may move between press and release and still have pressed a point. */
const STILL = 5;

class Painter implements Drawable {
  private library: PlotlyStatic | null = null;
  private last: Figure | null = null;
  private size = "";
  private onScreen = false;
  private readonly sizes: ResizeObserver;
  private readonly sight: IntersectionObserver;

  constructor(
    readonly host: HTMLElement,
    private readonly read: () => Figure | null,
    failed: (reason: string) => void,
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
      (reason: Error) => failed(reason.message),
    );
  }

  request(): void {
    scheduler.request(this);
  }

  visible(): boolean {
    return this.onScreen && this.library !== null;
  }

  draw(): boolean {
    const figure = this.read();
    const { clientWidth: width, clientHeight: height } = this.host;
    const size = `${width} ${height}`;
    if (this.library === null || figure === null || width < 60 || height < 60) return false;
    if (figure === this.last && size === this.size) return false;
    // Between a surface and contours nothing is shared, and a forgotten canvas keeps its context.
    if (this.last !== null && isDeep(this.last) !== isDeep(figure)) this.library.purge(this.host);
    this.last = figure;
    this.size = size;
    void this.library.react(this.host, figure.data, { ...figure.layout, width, height }, CONFIG);
    return true;
  }

  dispose(): void {
    scheduler.remove(this);
    this.sizes.disconnect();
    this.sight.disconnect();
    this.library?.purge(this.host);
  }
}

function isDeep(figure: Figure): boolean {
  return figure.layout.scene !== undefined;
}

export function Picture({ figure, label, onPick, onHost }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const painter = useRef<Painter | null>(null);
  const latest = useRef({ figure, onPick, onHost });
  latest.current = { figure, onPick, onHost };
  const [error, setError] = useState<string | null>(null);

  useEffect(() => {
    if (host.current === null) return;
    const made = new Painter(host.current, () => latest.current.figure.peek(), setError);
    painter.current = made;
    latest.current.onHost?.(host.current);
    return () => {
      painter.current = null;
      made.dispose();
    };
  }, []);
  useEffect(() => {
    const canvas = host.current;
    if (canvas === null) return;
    let pressed: [number, number] | null = null;
    const press = (event: PointerEvent): void => {
      pressed = [event.clientX, event.clientY];
    };
    const release = (event: PointerEvent): void => {
      const at = latest.current;
      const now = at.figure.peek();
      if (pressed === null || now === null || isDeep(now)) return;
      const moved = Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]);
      pressed = null;
      if (moved > STILL) return;
      const box = canvas.getBoundingClientRect();
      const point = pointUnder(now.layout, box, event.clientX - box.left, event.clientY - box.top);
      if (point !== null) at.onPick?.(point);
    };
    canvas.addEventListener("pointerdown", press, true);
    // Plotly lays a cover over the page while a button is down: the release is not the canvas's.
    window.addEventListener("pointerup", release, true);
    return () => {
      canvas.removeEventListener("pointerdown", press, true);
      window.removeEventListener("pointerup", release, true);
    };
  }, []);
  useSignalEffect(() => {
    latest.current.figure.value;
    painter.current?.request();
  });

  return (
    <div class={onPick === undefined ? "picture" : "picture picture-pick"}>
      <div class="picture-plot" ref={host} role="img" aria-label={label} />
      {error !== null && (
        <p class="chart-message" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
