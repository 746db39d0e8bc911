/** Text of a lesson, as the server has rendered and sanitised it; its links drive the lab. */

import { useSignalEffect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { navigate, placeOf } from "../../state/address/router";
import { scene } from "../../state/scene";
import { canTrain } from "../../state/signals";
import { setOfScene } from "./drive";
import { showTerm } from "./Glossary";
import "./prose.css";

interface Props {
  html: string;
  /** A sentence within a paragraph. */
  inline?: boolean;
}

export function Prose({ html, inline = false }: Props) {
  const host = useRef<HTMLDivElement & HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return;
    element.innerHTML = html;
    element.addEventListener("click", press); // of the buttons and links within
    return () => element.removeEventListener("click", press);
  }, [html]);
  useSignalEffect(() => {
    const isRun = scene.value?.page === "compare";
    if (!canTrain.value && host.current !== null) disarm(host.current, isRun);
  });
  return inline ? <span class="prose-inline" ref={host} /> : <div class="prose" ref={host} />;
}

/** Without a server, links that set what a run is made of have no effect. */
function disarm(text: HTMLElement, isRun: boolean): void {
  for (const link of text.querySelectorAll<HTMLButtonElement>("button[data-lab]")) {
    link.disabled = isRun && link.dataset.lab?.startsWith("step=") !== true;
    if (link.disabled)
      link.dataset.tip = "In the lab this sets the control; here nothing is computed";
  }
}

function press(event: MouseEvent): void {
  const pressed = event.target instanceof Element ? event.target.closest("button, a") : null;
  const term = pressed?.getAttribute("data-term");
  const setting = pressed?.getAttribute("data-lab");
  if (term) showTerm(term);
  if (setting) setOfScene(setting);
  const href = pressed?.getAttribute("href");
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (plain && href && !/^[a-z]+:|^\/\//i.test(href)) {
    event.preventDefault();
    navigate(placeOf(href, document.baseURI));
  }
}
