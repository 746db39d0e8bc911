/** The name, the pages, and what can be done with what is on the page. */

import { useEffect, useRef } from "preact/hooks";
import { exportUrl } from "../../api/client";
import { PAGES } from "../../pages/list";
import { place, runIdOf } from "../../state/address/router";
import { leave } from "../../state/session";
import { canTrain, hasRun, presenting, runId, theme } from "../../state/signals";
import { THEMES } from "../../state/theme";
import { Icon } from "../../ui/Icon";
import { Link } from "../../ui/Link";
import { Menu } from "../../ui/Menu";
import { saveReport } from "../notices/report";
import { help } from "./Help";
import { ShareMenu } from "./ShareMenu";

export function Header() {
  const { path } = place.value;
  const compares = canTrain.value && (path === "" || runIdOf(path) !== null);
  const pages = useRef<HTMLElement>(null);
  // On a phone the list of pages is wider than the screen: the current one is in sight.
  const current = canTrain.value ? PAGES.findIndex((page) => page.matches(path)) : -1;
  useEffect(() => showLink(pages.current, current), [current]);
  return (
    <header class="header">
      <h1>
        <Link to={{ path: "", search: "" }}>Newton Lab</Link>
      </h1>
      {canTrain.value && (
        <nav aria-label="Pages" ref={pages}>
          {PAGES.map((page) => (
            <Link
              key={page.title}
              to={page.place()}
              aria-current={page.matches(path) ? "page" : undefined}
            >
              {page.title}
            </Link>
          ))}
        </nav>
      )}
      <div class="header-actions">
        {compares && hasRun.value && (
          <button
            type="button"
            data-tip="Takes this run’s settings into the controls, to change them and train again"
            onClick={leave}
          >
            <Icon name="fork" size={16} />
            <span>Fork</span>
          </button>
        )}
        {canTrain.value && <ShareMenu />}
        {compares && <ExportMenu />}
        <PresentButton />
        <ThemeButton />
        <button
          type="button"
          class="icon-button"
          aria-label="Help"
          aria-keyshortcuts="?"
          data-tip="Help and keys (?)"
          onClick={() => {
            help.value = true;
          }}
        >
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

function showLink(list: HTMLElement | null, index: number): void {
  const link = list?.children[index]?.getBoundingClientRect();
  if (list === null || link === undefined) return;
  const { left, width } = list.getBoundingClientRect();
  list.scrollLeft += link.left + link.width / 2 - (left + width / 2);
}

const FORMATS = [
  { format: "csv", title: "Numbers", hint: "CSV: run, arm, step, metric, value" },
  { format: "json", title: "Event log", hint: "JSON, all that the run said" },
  { format: "spec", title: "Spec", hint: "JSON, to run again: newton-lab train" },
  { format: "weights", title: "Weights", hint: "safetensors, from the last snapshot" },
];

function ExportMenu() {
  const id = runId.value;
  return (
    <Menu
      label={
        <>
          <Icon name="export" size={16} />
          <span>Export</span>
        </>
      }
    >
      {id === "" ? (
        <p>Train first: then its numbers, log, spec, weights and a report are here.</p>
      ) : (
        <>
          {FORMATS.map(({ format, title, hint }) => (
            <a key={format} href={exportUrl(id, format)} download>
              {title}
              <span>{hint}</span>
            </a>
          ))}
          <a
            href={exportUrl(id, "html")}
            download
            onClick={(event) => {
              event.preventDefault();
              void saveReport(id);
            }}
          >
            Report
            <span>one HTML file that plays without a network; it takes some seconds</span>
          </a>
        </>
      )}
      <p>A picture of a chart: the camera beside its title.</p>
    </Menu>
  );
}

function PresentButton() {
  return (
    <button
      type="button"
      class="icon-button wide-only"
      aria-label="Present"
      aria-pressed={presenting.value}
      data-tip="For a projector: larger type, no controls"
      onClick={() => {
        presenting.value = !presenting.value;
      }}
    >
      <Icon name="present" />
    </button>
  );
}

function ThemeButton() {
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system";
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={`Theme: ${theme.value}; switch to ${next}`}
      data-tip={`Theme: ${theme.value}. Press for ${next}`}
      onClick={() => {
        theme.value = next;
      }}
    >
      <Icon name={theme.value} />
    </button>
  );
}
