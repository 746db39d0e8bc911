/** Draws labels, markers and marks over a figure, as SVG that costs no layout. */

import type { Filled } from "./curves";
import { LINE } from "./labelRoom";
import { noteBottom, reach } from "./marks";

const SVG = "http://www.w3.org/2000/svg";

/** Replaces what `svg` holds by what belongs over the figure. */
export function drawInk(svg: SVGSVGElement, filled: Filled, scale: number, halo: string): void {
  const made: SVGElement[] = [];
  const add = (name: string, attributes: Record<string, string | number>, text = ""): void => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
    if (text !== "") element.textContent = text;
    made.push(element);
  };
  for (const mark of filled.marks) {
    const [y1, y2] = reach(mark);
    add("line", {
      x1: mark.left,
      x2: mark.left,
      y1,
      y2,
      stroke: mark.colour,
      "stroke-width": mark.kind === "tick" ? 1.5 : 1,
      "stroke-dasharray": mark.dash,
    });
    if (mark.ring !== null) {
      const round = { cx: mark.left, cy: mark.ring, r: 4 * Math.sqrt(scale), fill: "none" };
      add("circle", { ...round, stroke: mark.colour, "stroke-width": 1.5 });
    }
    if (mark.note === "") continue;
    const late = mark.left > mark.plot.left + 0.7 * mark.plot.width;
    add(
      "text",
      {
        x: mark.left + (late ? -5 : 5),
        y: noteBottom(mark.plot),
        fill: mark.noteInk,
        "font-size": 11 * scale,
        "text-anchor": late ? "end" : "start",
      },
      `◆ ${mark.note}`,
    );
  }
  for (const title of filled.titles) {
    add(
      "text",
      {
        x: title.left,
        y: title.bottom,
        fill: title.ink,
        "font-size": title.font,
        "font-weight": title.weight,
        stroke: halo,
        "stroke-width": 3,
        "stroke-linejoin": "round",
        "paint-order": "stroke",
      },
      title.text,
    );
  }
  for (const end of filled.ends) {
    if (end.size > 0)
      add("path", {
        d: symbolPath(end.curve.marker, end.left, end.top, end.size / 2),
        fill: end.curve.colour,
        stroke: halo,
        "stroke-width": 1.5,
        "paint-order": "stroke",
      });
    end.lines.forEach((line, index) => {
      const down = (index - (end.lines.length - 1) / 2) * LINE * end.font;
      add(
        "text",
        {
          x: end.textLeft,
          y: end.textTop + down + 0.35 * end.font,
          fill: end.curve.ink,
          stroke: halo,
          "stroke-width": 3,
          "stroke-linejoin": "round",
          "paint-order": "stroke",
          "font-size": end.font,
          "font-weight": 600,
        },
        line,
      );
    });
  }
  svg.replaceChildren(...made);
}

/** The outline of one of Plotly's marker symbols around (x, y). */
export function symbolPath(symbol: string, x: number, y: number, r: number): string {
  const through = (...points: [number, number][]): string =>
    `M${points.map(([dx, dy]) => `${(x + dx * r).toFixed(2)},${(y + dy * r).toFixed(2)}`).join("L")}Z`;
  switch (symbol) {
    case "square":
      return through([-1, -1], [1, -1], [1, 1], [-1, 1]);
    case "diamond":
      return through([0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]);
    case "triangle-up":
      return through([0, -1.25], [1.2, 0.9], [-1.2, 0.9]);
    case "triangle-down":
      return through([0, 1.25], [1.2, -0.9], [-1.2, -0.9]);
    case "cross": {
      const a = 0.42;
      const b = 1.2;
      return through(
        [-a, -b],
        [a, -b],
        [a, -a],
        [b, -a],
        [b, a],
        [a, a],
        [a, b],
        [-a, b],
        [-a, a],
        [-b, a],
        [-b, -a],
        [-a, -a],
      );
    }
    default:
      return `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0Z`;
  }
}
