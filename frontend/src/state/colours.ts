/** Colours of the style sheet for what is not drawn by CSS: Plotly wants plain values. */

let probe: HTMLElement | null = null;

/** The colour of custom property `name` (`--arm-1`) in the theme now shown, as `rgb(...)`. */
export function resolveColour(name: string): string {
  if (probe === null) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}
