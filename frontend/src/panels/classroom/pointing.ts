/** Panels by their names: the one under the pointer, and the one that is pointed at. */

const PANELS = "[data-panel], section[aria-label], section.panel";
const MARK = "data-pointed";

/** The name of a panel: what a reader would call it. */
function nameOf(panel: Element): string | null {
  if (panel.matches(".classroom")) return null; // the bar of the presentation itself
  const label = panel.getAttribute("data-panel") ?? panel.getAttribute("aria-label");
  const heading = label ?? panel.querySelector("h2, h3, h4, figcaption")?.textContent;
  const name = heading?.trim().slice(0, 100);
  return name === undefined || name === "" ? null : name;
}

/** The name of the innermost panel that holds a place of the page; null: none has a name. */
export function panelAt(target: EventTarget | null): string | null {
  let panel = target instanceof Element ? target.closest(PANELS) : null;
  while (panel !== null) {
    const name = nameOf(panel);
    if (name !== null) return name;
    panel = panel.parentElement?.closest(PANELS) ?? null;
  }
  return null;
}

/** The panel is marked as soon as it is there: a page that has just been opened is still empty. */
let late: MutationObserver | null = null;
let wanted: string | null = null;

/** Marks the panel of this name and brings it into view; null: none. */
export function pointAt(name: string | null): void {
  if (name === wanted) return;
  wanted = name;
  late?.disconnect();
  document.querySelector(`[${MARK}]`)?.removeAttribute(MARK);
  if (name === null || mark()) return;
  late = new MutationObserver(() => void mark());
  late.observe(document.body, { childList: true, subtree: true });
}

function mark(): boolean {
  const panel = [...document.querySelectorAll(PANELS)].find((one) => nameOf(one) === wanted);
  if (panel === undefined) return false;
  late?.disconnect();
  panel.setAttribute(MARK, "");
  panel.scrollIntoView({ block: "nearest" });
  return true;
}
