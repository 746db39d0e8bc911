/** Text of a lesson, as the server has rendered and sanitised it; its links drive the lab. */

import { useLayoutEffect, useRef } from "preact/hooks";
import { navigate, placeOf } from "../../state/address/router";
import { setOfScene } from "./drive";
import { showTerm } from "./Glossary";

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
  return inline ? <span class="prose-inline" ref={host} /> : <div class="prose" ref={host} />;
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
