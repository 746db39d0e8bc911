/** Before the browser prints, the page is laid out for a sheet of paper and all charts are drawn for it. */

import { onPaper } from "../state/signals";
import { scheduler } from "./scheduler";

/**
 * Lays the page out for paper when the browser is about to print, and for the screen afterwards.
 * `data-paper` does it, because the rules of `@media print` apply only while the browser prints, when
 * no chart can be drawn any more.
 */
export function obeyPaper(): void {
  const print = matchMedia("print");
  const lay = (paper: boolean): void => {
    if (paper === onPaper.peek()) return;
    document.documentElement.toggleAttribute("data-paper", paper);
    onPaper.value = paper;
    if (paper) scheduler.drawNow();
  };
  window.addEventListener("beforeprint", () => lay(true));
  window.addEventListener("afterprint", () => lay(false));
  print.addEventListener("change", () => lay(print.matches)); // as developer tools show it
}
