/** A panel for slides or a page of one's own: which, how it looks, and its HTML or its file. */

import { signal, useSignal } from "@preact/signals";
import { PAGES } from "../../pages/list";
import { absolute, place, runIdOf } from "../../state/address/router";
import { armName } from "../../state/arms";
import { draft } from "../../state/draft";
import { isPanel, PANELS } from "../../state/frame";
import { runSpec, type Theme } from "../../state/signals";
import { THEMES } from "../../state/theme";
import { Choice } from "../../ui/Choice";
import { copy } from "../../ui/copy";
import { Dialog } from "../../ui/Dialog";
import { here } from "../classroom/here";
import { fileHref, frameHref, SIZES, type Size, snippet, type Wish } from "./embed";
import "./embed.css";

export const embedding = signal(false);

const THEME_WORDS: Record<Theme, string> = {
  system: "as the reader’s system",
  light: "light",
  dark: "dark",
};

export function EmbedDialog() {
  return (
    <Dialog open={embedding} title="Embed or save a panel">
      {embedding.value && <Form />}
    </Dialog>
  );
}

function Form() {
  const wish = useSignal<Wish>({ panel: "accuracy", arm: null, theme: "system", size: "slide" });
  const said = useSignal("");
  const { panel, arm, theme, size } = wish.value;
  const change = (some: Partial<Wish>) => {
    wish.value = { ...wish.value, ...some };
    said.value = "";
  };
  const { path } = place.value;
  const isOfRun = path === "" || runIdOf(path) !== null;
  const page = PAGES.find((one) => one.matches(path));
  const arms = (runSpec.value ?? draft.value)?.arms ?? [];
  const at = here();
  const address = absolute(frameHref(at, wish.value));
  const what = isOfRun && panel !== null ? PANELS[panel] : (page?.title ?? "The lab");
  const html = snippet(address, size, `Newton Lab: ${what}`);
  const file = fileHref(at, wish.value);
  return (
    <div class="embed">
      <div class="embed-choices">
        {isOfRun && (
          <Choice
            label="Panel"
            value={panel ?? ""}
            options={[
              ...Object.entries(PANELS),
              ["", "all of the page, without its settings"] as const,
            ]}
            onChange={(value) => change({ panel: isPanel(value) ? value : null })}
          />
        )}
        {isOfRun && panel !== null && arms.length > 1 && (
          <Choice
            label="Arm"
            value={arm === null ? "" : `${arm}`}
            options={[
              ["", "all alike"],
              ...arms.map((_, index): [string, string] => [`${index}`, armName(arms, index)]),
            ]}
            onChange={(value) => change({ arm: value === "" ? null : Number(value) })}
          />
        )}
        <Choice
          label="Theme"
          value={theme}
          options={THEMES.map((one): [Theme, string] => [one, THEME_WORDS[one]])}
          onChange={(value) => change({ theme: value })}
        />
        <Choice
          label="Size"
          value={size}
          options={Object.entries(SIZES).map(([name, { words }]): [Size, string] => [
            name as Size,
            words,
          ])}
          onChange={(value) => change({ size: value })}
        />
      </div>
      <label>
        HTML of the frame
        <textarea
          readOnly
          rows={4}
          value={html}
          onFocus={(event) => event.currentTarget.select()}
        />
      </label>
      <p class="embed-actions">
        <button
          type="button"
          class="go"
          onClick={async () => {
            said.value = (await copy(html))
              ? "Copied."
              : "The browser forbids it: copy it by hand.";
          }}
        >
          Copy the frame
        </button>
        <a class="button" href={address} target="_blank" rel="noreferrer">
          Preview
        </a>
        {file !== null && (
          <a class="button" href={file} download>
            Save as a file
          </a>
        )}
        <span role="status">{said.value}</span>
      </p>
      <p class="hint">
        The frame shows this run at this step, live from this server. A page of another server may
        show it once <code>NEWTON_LAB_FRAME_ANCESTORS</code> names that page’s address, for example{" "}
        <code>'self' https://course.example.org</code>; until then browsers refuse.
      </p>
      <p class="hint">{fileWords(isOfRun, file !== null)}</p>
    </div>
  );
}

function fileWords(isOfRun: boolean, hasRun: boolean): string {
  if (!isOfRun) return "Only a panel of a run can be saved as a file that needs no server.";
  if (!hasRun) return "Train first: then the panel can also be saved as a file without a server.";
  return "The file is one HTML page that needs neither this server nor a network, and plays.";
}
