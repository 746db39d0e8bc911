/** Light, dark, or as the system has it; the choice is remembered on this device. */

import { effect } from "@preact/signals";
import type { Palette, Template } from "../charts/templates";
import { embedded } from "./address/router";
import { lowScreen, shownTheme, systemTheme, type Theme, theme } from "./signals";

const KEY = "newton-lab-theme";
export const THEMES: readonly Theme[] = ["system", "light", "dark"];

/** Follows the system and the reader; the style sheet reads `data-theme`. */
export function startTheme(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    systemTheme.value = dark.matches ? "dark" : "light";
  };
  follow();
  dark.addEventListener("change", follow);
  if (!embedded.value) theme.value = THEMES.find((known) => known === remembered()) ?? "system";
  effect(() => {
    if (theme.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
    if (!embedded.value) remember(theme.value); // a frame's theme is its page's, not the reader's
  });
}

/** Follows how many lines the screen has. */
export function startScreen(): void {
  const low = matchMedia("(max-height: 800px) and (min-width: 1001px)");
  const follow = () => {
    lowScreen.value = low.matches;
  };
  follow();
  low.addEventListener("change", follow);
}

/** A template's colours in the theme that is shown. */
export function paletteOf(template: Template): Palette {
  return template.layout.meta.palettes[shownTheme.value];
}

/** Storage may be switched off (private windows, files): then the choice lasts as long as the page. */
function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(value: Theme): void {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // as above
  }
}
