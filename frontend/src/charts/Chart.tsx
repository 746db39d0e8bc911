/** One chart on the page: a container that a `Plotter` draws in, with the readout over it. */

import { type ReadonlySignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Drawn } from "./compose";
import { Overlay } from "./overlay";
import { Plotter, type ZoomChange } from "./plotter";
import { summary } from "./reading";
import type { View } from "./view";

export interface ChartProps {
  /**
   * What to show, but for the size of its container. Read while drawing, and followed: whatever
   * signals it reads, a change of theirs asks for a new drawing.
   */
  view: ReadonlySignal<Omit<View, "width" | "height"> | null>;
  cursor: ReadonlySignal<number>;
  hover: ReadonlySignal<number | null>;
  onHover(step: number | null): void;
  onZoom(change: ZoomChange): void;
  onReset(): void;
  onDrawn(drawn: Drawn): void;
}

export function Chart(props: ChartProps) {
  const area = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const parts = useRef<{ plotter: Plotter; overlay: Overlay; drawn: Drawn | null } | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [error, setError] = useState<string | null>(null);

  useEffect(() => {
    if (area.current === null || host.current === null) return;
    const canvas = host.current;
    const overlay = new Overlay(area.current);
    const plotter = new Plotter(canvas, {
      read: (width, height) => {
        const view = latest.current.view.peek();
        return view === null ? null : { ...view, width, height };
      },
      drawn: (drawn) => {
        if (parts.current !== null) parts.current.drawn = drawn;
        canvas.setAttribute("aria-label", summary(drawn.view, drawn.curves));
        overlay.draw(drawn);
        overlay.update(drawn, latest.current.cursor.peek(), latest.current.hover.peek());
        latest.current.onDrawn(drawn);
      },
      zoomed: (change) => latest.current.onZoom(change),
      failed: setError,
    });
    parts.current = { plotter, overlay, drawn: null };
    plotter.request();
    // The pointer's ways in; the table behind the chart is everyone else's.
    const frame = area.current;
    const point = (event: PointerEvent): void => {
      latest.current.onHover(overlay.stepAtPointer(event.clientX, event.clientY));
    };
    const clear = (): void => {
      overlay.leave();
      latest.current.onHover(null);
    };
    // A finger leaves as soon as it lifts: what it pointed at stays until it taps elsewhere.
    const leave = (event: PointerEvent): void => {
      if (event.pointerType !== "touch") clear();
    };
    const elsewhere = (event: PointerEvent): void => {
      const inside = event.target instanceof Node && frame.contains(event.target);
      if (event.pointerType === "touch" && !inside && overlay.isPointed()) clear();
    };
    const reset = (): void => latest.current.onReset();
    const listening = new AbortController();
    const { signal } = listening;
    frame.addEventListener("pointermove", point, { signal });
    frame.addEventListener("pointerdown", point, { signal });
    frame.addEventListener("pointerleave", leave, { signal });
    frame.addEventListener("dblclick", reset, { signal });
    document.addEventListener("pointerdown", elsewhere, { signal });
    return () => {
      parts.current = null;
      plotter.dispose();
      listening.abort();
    };
  }, []);

  useSignalEffect(() => {
    props.view.value;
    parts.current?.plotter.request();
  });
  useSignalEffect(() => {
    const { value: cursor } = props.cursor;
    const { value: hover } = props.hover;
    parts.current?.overlay.update(parts.current.drawn, cursor, hover);
  });

  return (
    <div class="chart-area" ref={area}>
      <div class="chart-plot" ref={host} role="img" aria-label="Nothing drawn yet" />
      {error !== null && (
        <p class="chart-message" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
