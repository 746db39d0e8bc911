/** A run as one file: the same page over the log that is embedded in it, without a server. */

import { render } from "preact";
import { keepAnswers, requestKey } from "./api/kept";
import { unpacked } from "./api/packed";
import type { RunEvent } from "./api/types";
import { obeyOneTime } from "./charts/oneTime";
import { obeyPaper } from "./charts/paper";
import type { Templates } from "./charts/templates";
import { showHandout } from "./handout";
import { ComparePage } from "./pages/Compare";
import { Header } from "./panels/header/Header";
import { Help, help } from "./panels/header/Help";
import { made } from "./panels/print/PrintNote";
import { mainAction } from "./panels/transport/Transport";
import { applyView, readAddress } from "./state/address/compare";
import { seek, startClock } from "./state/clock";
import { framed } from "./state/frame";
import { shortcuts, startKeys } from "./state/keys";
import { canTrain, showLog } from "./state/signals";
import { logOfEvents } from "./state/store";
import { templates } from "./state/templates";
import { startScreen, startTheme } from "./state/theme";
import { type Vocabulary, vocabulary } from "./state/vocabulary";
import { Announcer } from "./ui/announce";
import { Tooltip } from "./ui/tooltip";
import "./styles";

/** The log of one seed, in a report over several. */
interface SeedLog {
  title: string;
  events: RunEvent[];
}

/** What the server embeds (`app/report.py`). */
interface Embedded {
  run: {
    id: string;
    title: string;
    shown?: string;
    comparison?: string;
    made: string;
    /** What the page showed, as its address says it; of one panel, the file is that panel. */
    view?: string;
  };
  figures: Templates;
  vocabulary: Vocabulary;
  events: RunEvent[];
  others?: SeedLog[];
  /** What the panels ask the server for, at the steps that the file knows. */
  answers: { path: string; question: unknown; answer: unknown }[];
}

const KEYS = shortcuts(mainAction, () => {
  help.value = true;
});

function show(id: string, events: readonly RunEvent[], step: number | null = null): void {
  const log = logOfEvents(id, events);
  showLog(log);
  seek(step ?? log.head);
}

/** Which seed is shown, and how all of them compare. */
function Seeds({ run, seeds }: { run: Embedded["run"]; seeds: readonly SeedLog[] }) {
  return (
    <section class="report-title">
      <label>
        Shown:{" "}
        <select
          onChange={(event) => {
            const chosen = seeds[event.currentTarget.selectedIndex];
            if (chosen !== undefined) show(run.id, chosen.events);
          }}
        >
          {seeds.map(({ title }) => (
            <option key={title}>{title}</option>
          ))}
        </select>
      </label>
      {run.comparison !== undefined && <pre>{run.comparison}</pre>}
    </section>
  );
}

function Report({ run, seeds }: { run: Embedded["run"]; seeds: readonly SeedLog[] }) {
  if (framed.value) {
    return (
      <>
        <p class="report-title">{run.title}</p>
        <ComparePage />
        <Announcer />
        <Tooltip />
      </>
    );
  }
  return (
    <>
      <Header />
      <p class="report-title">{run.title}</p>
      {seeds.length > 1 && <Seeds run={run} seeds={seeds} />}
      <ComparePage />
      <Help shortcuts={KEYS} />
      <Announcer />
      <Tooltip />
    </>
  );
}

const handout = document.getElementById("newton-lab-handout");
const data = document.getElementById("newton-lab-report");
const root = document.getElementById("page");
if (handout !== null && root !== null) void showHandout(handout, root);
if (data !== null && root !== null) void showReport(data, root);

async function showReport(data: HTMLElement, root: HTMLElement): Promise<void> {
  const embedded = await unpacked<Embedded>(data, root);
  if (embedded === null) return;
  const { run, events, others = [], answers } = embedded;
  canTrain.value = false;
  made.value = run.made;
  templates.value = embedded.figures;
  vocabulary.value = embedded.vocabulary;
  keepAnswers(
    answers.map(({ path, question, answer }) => [requestKey(path, question), answer] as const),
  );
  startTheme();
  startScreen();
  obeyOneTime();
  obeyPaper();
  startClock();
  startKeys(KEYS);
  applyView(run.view ?? "");
  show(run.id, events, readAddress(run.view ?? "").step);
  const seeds = [{ title: run.shown ?? run.title, events }, ...others];
  render(<Report run={run} seeds={seeds} />, root);
}
