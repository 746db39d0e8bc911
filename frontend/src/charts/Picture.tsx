/** A figure of a panel's own on the page: drawn when seen, in turn with the charts. */

import { type ReadonlySignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PlanePoint } from "./landscape";
import { pointUnder } from "./landscapeFigure";
import { isDeep, Painter } from "./painter";
import type { Figure } from "./plotly";

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

/** Pixels that a pointer may move between press and release and still have pressed a point. */
const STILL = 5;

/** Draws what `read` gives, whenever it gives another figure or the container has another size. */
function painterOf(
  host: HTMLElement,
  read: () => Figure | null,
  failed: (reason: string) => void,
): Painter {
  let sized = "";
  let drawn: Figure | null = null;
  return new Painter(host, {
    next(width, height) {
      const figure = read();
      const size = `${width} ${height}`;
      if (figure === null || (figure === drawn && size === sized)) return null;
      [drawn, sized] = [figure, size];
      return figure;
    },
    failed,
  });
}

export function Picture({ figure, label, onPick, onHost }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const painter = useRef<Painter | null>(null);
  const latest = useRef({ figure, onPick, onHost });
  latest.current = { figure, onPick, onHost };
  const [error, setError] = useState<string | null>(null);

  useEffect(() => {
    if (host.current === null) return;
    const made = painterOf(host.current, () => latest.current.figure.peek(), setError);
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
