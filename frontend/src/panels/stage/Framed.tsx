/** A panel alone, for a frame in another page, or for a file of its own. */

import { useEffect } from "preact/hooks";
import { embedded, place } from "../../state/address/router";
import { shownPanels } from "../../state/frame";
import { Notices } from "../notices/Notices";
import { PrintNote } from "../print/PrintNote";
import { Transport } from "../transport/Transport";
import { Panels } from "./Panels";
import "./framed.css";

export function Framed() {
  useEffect(() => {
    document.documentElement.toggleAttribute("data-framed", true);
    return () => document.documentElement.removeAttribute("data-framed");
  }, []);
  const { path, search } = place.value;
  return (
    <main class="compare compare-alone">
      <div class="stage" data-single={shownPanels.value.length === 1}>
        <Transport />
        <Notices />
        <Panels only={shownPanels.value} />
        {embedded.value && (
          <p class="framed-from">
            <a href={`${path === "" ? "./" : path}${search}`} target="_blank" rel="noreferrer">
              Open in Newton Lab
            </a>
          </p>
        )}
        <PrintNote />
      </div>
    </main>
  );
}
