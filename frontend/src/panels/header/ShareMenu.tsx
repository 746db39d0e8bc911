/** What leaves the page: a link, a frame or a file, and what others follow. */

import { useSignal, useSignalEffect } from "@preact/signals";
import { absolute, hrefOf, isLoopback } from "../../state/address/router";
import { catalog } from "../../state/draft";
import { copy } from "../../ui/copy";
import { Icon } from "../../ui/Icon";
import { Menu } from "../../ui/Menu";
import { here } from "../classroom/here";
import { present, presentation } from "../classroom/teacher";
import { embedding } from "../embed/EmbedDialog";

const SAID_MS = 8000;

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
      <button
        type="button"
        onClick={() => {
          embedding.value = true;
        }}
      >
        Embed or save a panel
        <span>a frame for slides or a course page, or a file that needs no server</span>
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
    </Menu>
  );
}
