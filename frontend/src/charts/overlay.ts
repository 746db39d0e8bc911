/**
 * What moves over a drawn chart: the line at the playback step, and the readout at the step under
 * the pointer, on every chart at once. Plain elements moved by hand: a pointer moves far more often
 * than Plotly could draw, and the readout gives the recorded values, not those left by decimation.
 */

import { fraction, valueAt, xText } from "./axes";
import type { Drawn } from "./compose";
import { drawInk } from "./ink";
import { headingStep, type Reading, readAt, readingText, stepNote, valueText } from "./reading";
import { stepAt, xOf } from "./series";

interface Layer {
  cursor: HTMLElement;
  line: HTMLElement;
  dots: HTMLElement[];
  note: HTMLElement;
}

export class Overlay {
  private readonly layers: Layer[] = [];
  private drawn: Drawn | null = null;
  /** The panel that the pointer is on; null: it is on another chart or none. */
  private pointed: { arm: number | null } | null = null;

  private readonly ink = document.createElementNS("http://www.w3.org/2000/svg", "svg");

  constructor(private readonly host: HTMLElement) {
    this.ink.setAttribute("class", "chart-ink");
    this.ink.setAttribute("aria-hidden", "true");
    host.append(this.ink);
  }

  /** A new figure is on the screen: draws what lies over it. */
  draw(drawn: Drawn): void {
    drawInk(this.ink, drawn, drawn.view.scale, drawn.view.palette.panel);
  }

  /** `hover`: the step under the pointer of any chart, or null. */
  update(drawn: Drawn | null, cursor: number, hover: number | null): void {
    this.drawn = drawn;
    const plots = drawn?.plots ?? [];
    while (this.layers.length < plots.length) this.layers.push(this.newLayer());
    this.layers.forEach((layer, index) => {
      const plot = plots[index];
      if (drawn === null || plot === undefined) {
        hideAll(layer);
        return;
      }
      const x = xAt(drawn, plot.arm, cursor);
      // At the end of the run the curves' own ends say where it is.
      placeLine(layer.cursor, drawn, plot.box, cursor < headOf(drawn) ? x : Number.NaN);
      this.readout(layer, drawn, plot, hover === null ? null : Math.min(hover, cursor));
    });
  }

  /** Whether the pointer is on this chart. */
  isPointed(): boolean {
    return this.pointed !== null;
  }

  /** The pointer has left. */
  leave(): void {
    this.pointed = null;
  }

  /** The step under a pointer, in the coordinates of the window; null outside the plots. */
  stepAtPointer(clientX: number, clientY: number): number | null {
    const { drawn } = this;
    this.pointed = null;
    if (drawn === null) return null;
    const area = this.host.getBoundingClientRect();
    const x = clientX - area.left;
    const y = clientY - area.top;
    for (const { box, arm } of drawn.plots) {
      const inside = x >= box.left - 4 && x <= box.left + box.width + 4;
      if (!inside || y < box.top || y > box.top + box.height) continue;
      const value = valueAt(drawn.x, Math.min(1, Math.max(0, (x - box.left) / box.width)));
      const log = mainLog(drawn)?.arms[arm ?? 0];
      if (log === undefined) return null;
      this.pointed = { arm };
      return Math.max(0, stepAt(log, value, drawn.view.x));
    }
    return null;
  }

  private readout(
    layer: Layer,
    drawn: Drawn,
    plot: Drawn["plots"][number],
    step: number | null,
  ): void {
    const readings =
      step === null
        ? []
        : readAt(drawn.curves, step, drawn.view.x).filter(
            ({ curve }) => curve.layer.kind !== "ghost" && (plot.arm ?? curve.arm) === curve.arm,
          );
    if (step === null || readings.length === 0) {
      placeLine(layer.line, drawn, plot.box, Number.NaN);
      for (const dot of layer.dots) dot.hidden = true;
      layer.note.hidden = true;
      return;
    }
    const x = xAt(drawn, plot.arm, step);
    placeLine(layer.line, drawn, plot.box, x);
    const heights = this.placeDots(layer, drawn, plot, readings);
    // Panels are too narrow for a note each: only the one under the pointer has one.
    layer.note.hidden = plot.arm !== null && this.pointed?.arm !== plot.arm;
    if (layer.note.hidden) return;
    // Where the pointer is, everything is said; the other charts give their values alone, and the
    // step where it is another.
    const pointed = this.pointed !== null;
    const of = headingStep(readings, step);
    const rows = readings.map((reading) => row(reading, drawn, plot.arm, pointed, of));
    const headed = pointed || of !== step;
    layer.note.replaceChildren(...(headed ? [heading(drawn, of), ...rows] : rows));
    const share = fraction(drawn.x, x);
    const left = plot.box.left + share * plot.box.width;
    const onLeft = share > 0.5;
    // A narrow panel's note may be wider than the panel: it may cross its edge, not the chart's.
    const limit = drawn.view.width - layer.note.offsetWidth - 2;
    const wanted = onLeft ? left - 10 - layer.note.offsetWidth : left + 10;
    // In the half of the plot that the curves leave free.
    const high = heights.length > 0 && heights.reduce((sum, h) => sum + h) > 0.5 * heights.length;
    const below = plot.box.top + plot.box.height - layer.note.offsetHeight - 10;
    const top = high && below > plot.box.top ? below : plot.box.top + 2;
    move(layer.note, Math.max(2, Math.min(limit, wanted)), top);
  }

  /** Moves a dot onto each curve; returns how far up they are, as shares of the plot. */
  private placeDots(
    layer: Layer,
    drawn: Drawn,
    plot: Drawn["plots"][number],
    readings: readonly Reading[],
  ): number[] {
    const heights: number[] = [];
    while (layer.dots.length < readings.length) layer.dots.push(this.element("chart-dot"));
    layer.dots.forEach((dot, index) => {
      const reading = readings[index];
      const across = reading === undefined ? Number.NaN : fraction(drawn.x, reading.x);
      const up = reading === undefined ? Number.NaN : drawn.place(reading.value);
      dot.hidden = !(across >= 0 && across <= 1 && up >= 0 && up <= 1);
      if (dot.hidden || reading === undefined) return;
      heights.push(up);
      dot.style.background = reading.curve.colour;
      const { left, top, width, height } = plot.box;
      move(dot, left + across * width, top + (1 - up) * height);
    });
    return heights;
  }

  private newLayer(): Layer {
    return {
      cursor: this.element("chart-cursor"),
      line: this.element("chart-hover-line"),
      dots: [],
      note: this.element("chart-note"),
    };
  }

  private element(name: string): HTMLElement {
    const element = document.createElement("div");
    element.className = name;
    element.hidden = true;
    this.host.append(element);
    return element;
  }
}

function mainLog(drawn: Drawn) {
  return drawn.view.layers.find((layer) => layer.kind === "main")?.log;
}

function headOf(drawn: Drawn): number {
  return mainLog(drawn)?.head ?? 0;
}

/** The x of a step: of one arm, or where arms differ (seconds), of the one furthest on. */
function xAt(drawn: Drawn, arm: number | null, step: number): number {
  if (drawn.view.x === "step") return step;
  const arms = mainLog(drawn)?.arms ?? [];
  const asked = arm === null ? arms : arms.slice(arm, arm + 1);
  return Math.max(...asked.map((log) => xOf(log, step, "seconds")));
}

function placeLine(
  line: HTMLElement,
  drawn: Drawn,
  box: Drawn["plots"][number]["box"],
  x: number,
): void {
  const share = fraction(drawn.x, x);
  line.hidden = !(share >= 0 && share <= 1);
  if (line.hidden) return;
  line.style.height = `${box.height}px`;
  move(line, box.left + share * box.width, box.top);
}

function hideAll(layer: Layer): void {
  for (const element of [layer.cursor, layer.line, layer.note, ...layer.dots]) {
    element.hidden = true;
  }
}

function move(element: HTMLElement, x: number, y: number): void {
  element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
}

function heading(drawn: Drawn, step: number): HTMLElement {
  const element = document.createElement("b");
  const time = drawn.view.x === "seconds" ? `, ${xText(xAt(drawn, null, step), "seconds")}` : "";
  element.textContent = `step ${xText(step, "step")}${time}`;
  return element;
}

function row(
  reading: Reading,
  drawn: Drawn,
  panel: number | null,
  whole: boolean,
  heading: number,
): HTMLElement {
  const element = document.createElement("span");
  const { hover } = drawn.view.choice;
  const said = whole ? readingText(reading, hover) : valueText(reading, hover);
  const text = `${said}${stepNote(reading, heading)}`;
  if (whole || panel !== null) {
    const name = document.createElement("i");
    name.textContent = panel === null ? reading.curve.label : reading.curve.part;
    name.style.color = reading.curve.ink;
    element.append(name, text);
  } else {
    element.style.color = reading.curve.ink;
    element.textContent = text;
  }
  return element;
}
