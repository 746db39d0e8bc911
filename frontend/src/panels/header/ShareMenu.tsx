/** What leaves the page as an address: a link, or a frame for a page of one's own. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { embedHref, hrefOf, isLoopback } from "../../state/address/router";
import { catalog } from "../../state/draft";
import { Icon } from "../../ui/Icon";
import { Menu } from "../../ui/Menu";
import { here } from "../classroom/here";
import { present, presentation } from "../classroom/teacher";

const SAID_MS = 8000;

function absolute(href: string): string {
  return new URL(href, document.baseURI).href;
}

/** Whether the address names this machine by the name that every machine has for itself. */
function isForHereAlone(): boolean {
  return isLoopback(location.hostname);
}

/** What the page shows, under the name by which other machines reach this one. */
function ownAddress(host: string): string {
  const address = new URL(absolute(hrefOf(here())));
  address.hostname = host;
  return address.href;
}

function snippet(): string {
  const address = absolute(embedHref(here())).replaceAll("&", "&amp;");
  return `<iframe src="${address}" title="Newton Lab" width="100%" height="900"></iframe>`;
}

export function ShareMenu() {
  const said = useSignal("");
  useSignalEffect(() => {
    if (said.value === "") return;
    const timer = setTimeout(() => {
      said.value = "";
    }, SAID_MS);
    return () => clearTimeout(timer);
  });
  const give = async (text: string, what: string) => {
    said.value = (await copy(text)) ? `${what} copied` : "Nothing copied: the browser forbids it";
  };
  const host = catalog.value?.host ?? null;
  const own = host === null ? null : ownAddress(host);
  return (
    <Menu
      label={
        <>
          <Icon name="share" size={16} />
          <span aria-live="polite">{said.value === "" ? "Share" : said.value}</span>
        </>
      }
    >
      <button type="button" onClick={() => void give(absolute(hrefOf(here())), "Link")}>
        Copy a link
        <span>to exactly what the page shows</span>
      </button>
      <button type="button" onClick={() => void give(snippet(), "Frame")}>
        Copy a frame
        <span>HTML for slides or a course page</span>
      </button>
      {presentation.value === null && (
        <button type="button" onClick={() => void present()}>
          Let others follow
          <span>their pages go where this one goes, live</span>
        </button>
      )}
      {isForHereAlone() && (
        <p>
          {own === null ? (
            <>
              This address works on this machine only. For others, start the lab with{" "}
              <code>--host 0.0.0.0</code>.
            </>
          ) : (
            <>
              This address works on this machine only; others reach it at <a href={own}>{own}</a>.
            </>
          )}
        </p>
      )}
      <p>
        A page on another server may show the frame once <code>NEWTON_LAB_FRAME_ANCESTORS</code>{" "}
        names it.
      </p>
    </Menu>
  );
}

/** Copies text; browsers allow the modern way on secure origins only. */
async function copy(text: string): Promise<boolean> {
  if (navigator.clipboard !== undefined) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}
