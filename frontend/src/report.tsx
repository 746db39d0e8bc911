/** A run as one file: the same page over the log that is embedded in it, without a server. */

import { render } from "preact";
import type { RunEvent } from "./api/types";
import type { Templates } from "./charts/templates";
import { ComparePage } from "./pages/Compare";
import { Header } from "./panels/header/Header";
import { Help, help } from "./panels/header/Help";
import { mainAction } from "./panels/transport/Transport";
import { seek, startClock } from "./state/clock";
import { shortcuts, startKeys } from "./state/keys";
import { canTrain, showLog } from "./state/signals";
import { logOfEvents } from "./state/store";
import { templates } from "./state/templates";
import { startTheme } from "./state/theme";
import { type Vocabulary, vocabulary } from "./state/vocabulary";
import { Announcer } from "./ui/announce";
import { Tooltip } from "./ui/tooltip";
import "./styles";

/** What the server embeds (`app/report.py`). */
interface Embedded {
  run: { id: string; title: string };
  figures: Templates;
  vocabulary: Vocabulary;
  events: RunEvent[];
}

const KEYS = shortcuts(mainAction, () => {
  help.value = true;
});

function Report({ title }: { title: string }) {
  return (
    <>
      <Header />
      <p class="report-title">{title}</p>
      <ComparePage />
      <Help shortcuts={KEYS} />
      <Announcer />
      <Tooltip />
    </>
  );
}

const data = document.getElementById("newton-lab-report");
const root = document.getElementById("page");
if (data !== null && root !== null) {
  const embedded = JSON.parse(data.textContent ?? "") as Embedded;
  const log = logOfEvents(embedded.run.id, embedded.events);
  canTrain.value = false;
  templates.value = embedded.figures;
  vocabulary.value = embedded.vocabulary;
  showLog(log);
  startTheme();
  startClock();
  startKeys(KEYS);
  seek(log.head);
  render(<Report title={embedded.run.title} />, root);
}
