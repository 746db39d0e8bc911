/**
 * Explanations on hover and on focus. Whatever has `data-tip` explains itself in one bubble that the
 * page owns: over everything, never clipped, gone with Escape. A screen reader gets the same text
 * through `aria-describedby`, which the control sets itself.
 */

import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

interface Tip {
  text: string;
  anchor: Element;
}

const tip = signal<Tip | null>(null);
const HOVER_MS = 350;
const GAP = 8;

export function Tooltip() {
  const bubble = useRef<HTMLDivElement>(null);
  useEffect(listen, []);
  const shown = tip.value;

  useLayoutEffect(() => {
    const box = bubble.current;
    if (box === null || shown === null) return;
    const at = shown.anchor.getBoundingClientRect();
    const size = box.getBoundingClientRect();
    const fitsRight = at.right + GAP + size.width < innerWidth && at.width < innerWidth / 2;
    const wide = at.width > 160 && fitsRight;
    const left = wide ? at.right + GAP : Math.min(at.left, innerWidth - size.width - GAP);
    const below = at.bottom + GAP + size.height < innerHeight;
    const top = wide ? at.top : below ? at.bottom + GAP : at.top - GAP - size.height;
    box.style.left = `${Math.max(GAP, left)}px`;
    box.style.top = `${Math.max(GAP, Math.min(top, innerHeight - size.height - GAP))}px`;
  });

  if (shown === null) return null;
  return (
    <div class="tooltip" ref={bubble} aria-hidden="true">
      {shown.text}
    </div>
  );
}

function listen(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const find = (event: Event) =>
    event.target instanceof Element ? event.target.closest("[data-tip]") : null;
  const show = (anchor: Element) => {
    const text = anchor.getAttribute("data-tip");
    tip.value = text ? { text, anchor } : null;
  };
  const hide = () => {
    clearTimeout(timer);
    tip.value = null;
  };
  const onOver = (event: Event) => {
    const anchor = find(event);
    if (anchor === tip.peek()?.anchor && anchor !== null) return;
    hide();
    if (anchor !== null) timer = setTimeout(show, HOVER_MS, anchor);
  };
  const onFocus = (event: Event) => {
    const anchor = find(event);
    hide();
    // A press with the pointer focuses too, but has shown that the reader knows what it is.
    if (anchor !== null && (event.target as Element).matches(":focus-visible")) show(anchor);
  };
  // A finger does not hover: what it presses long explains itself, and a label does at a tap.
  const onContext = (event: Event) => {
    const anchor = find(event);
    if (anchor === null || !matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    hide();
    show(anchor);
  };
  const onTap = (event: MouseEvent) => {
    const anchor = find(event);
    const isLabel = event.target instanceof Element && event.target.closest("label") !== null;
    if (anchor !== null && isLabel && matchMedia("(pointer: coarse)").matches) show(anchor);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") hide();
  };
  const options = { passive: true };
  document.addEventListener("pointerover", onOver, options);
  document.addEventListener("pointerdown", hide, options);
  document.addEventListener("contextmenu", onContext);
  document.addEventListener("click", onTap);
  document.addEventListener("focusin", onFocus);
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", onKey);
  document.addEventListener("scroll", hide, { passive: true, capture: true });
  return () => {
    hide();
    document.removeEventListener("pointerover", onOver);
    document.removeEventListener("pointerdown", hide);
    document.removeEventListener("contextmenu", onContext);
    document.removeEventListener("click", onTap);
    document.removeEventListener("focusin", onFocus);
    document.removeEventListener("focusout", hide);
    document.removeEventListener("keydown", onKey);
    document.removeEventListener("scroll", hide, { capture: true });
  };
}
