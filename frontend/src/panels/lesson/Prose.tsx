/** Text of a lesson, as the server has rendered and sanitised it; its links drive the lab. */

import { effect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { SceneView } from "../../api/types";
import { navigate, placeOf } from "../../state/address/router";
import { scene } from "../../state/scene";
import { canTrain } from "../../state/signals";
import { canSet, setOfScene } from "./drive";
import { showTerm } from "./Glossary";
import { joined } from "./joined";
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
    element.addEventListener("click", press); // of the buttons and links within
    const stop = effect(() => {
      element.innerHTML = joined(html);
      if (!canTrain.value) disarm(element, scene.value);
    });
    return () => {
      stop();
      element.removeEventListener("click", press);
    };
  }, [html]);
  return inline ? <span class="prose-inline" ref={host} /> : <div class="prose" ref={host} />;
}

/** Without a server, links that would start a run are text that says so. */
function disarm(text: HTMLElement, now: SceneView | null): void {
  for (const link of text.querySelectorAll<HTMLButtonElement>("button[data-lab]")) {
    if (now !== null && canSet(now, link.dataset.lab ?? "")) continue;
    const words = document.createElement("span");
    words.className = "lab-away";
    const why = document.createElement("small");
    why.textContent = " (in the lab: it is another run)";
    words.append(...link.childNodes, why);
    link.replaceWith(words);
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
