/** A lesson and its runs as one file: the lesson's page without a server (`app/lessons/handout.py`). */

import { signal, useSignalEffect } from "@preact/signals";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { keepAnswers, requestKey } from "./api/kept";
import { unpacked } from "./api/packed";
import type { Catalog, Lesson, LessonInfo, RunEvent, Term } from "./api/types";
import { obeyOneTime } from "./charts/oneTime";
import type { Templates } from "./charts/templates";
import { LessonsPage } from "./pages/Lessons";
import { Header } from "./panels/header/Header";
import { Help, help } from "./panels/header/Help";
import { keptRuns } from "./panels/lesson/drive";
import { TermDialog } from "./panels/lesson/Glossary";
import { lessonOf, lessonPlace } from "./panels/lesson/lessons";
import { drawStills, PrintedLesson } from "./panels/lesson/PrintedLesson";
import { made } from "./panels/print/PrintNote";
import { mainAction } from "./panels/transport/Transport";
import { hrefOf, place, startFileRouter } from "./state/address/router";
import { startClock } from "./state/clock";
import { catalog } from "./state/draft";
import { shortcuts, startKeys } from "./state/keys";
import type { RunLog } from "./state/log";
import { scene } from "./state/scene";
import { canTrain, run, showLog } from "./state/signals";
import { logOfEvents } from "./state/store";
import { templates } from "./state/templates";
import { startScreen, startTheme } from "./state/theme";
import { vocabulary } from "./state/vocabulary";
import { Announcer } from "./ui/announce";
import { Tooltip } from "./ui/tooltip";

interface Content {
  made: string;
  lesson: Lesson;
  info: LessonInfo;
  glossary: Term[];
  catalog: Catalog;
  figures: Templates;
  /** The log of each run. */
  runs: RunEvent[][];
  /** By page: which run its scene shows; null: none, or the scene is that of the page before. */
  shown: (number | null)[];
  answers: { path: string; question: unknown; answer: unknown }[];
}

const KEYS = shortcuts(mainAction, () => {
  help.value = true;
});

/** Whether the pictures for print are drawn: until then the lab is busy with them. */
const isReady = signal(false);

function Handout({ content, logs }: { content: Content; logs: readonly RunLog[] }) {
  const { lesson, shown } = content;
  useSignalEffect(() => {
    const now = scene.value;
    const page = lesson.content.findIndex((one) => same(one.scene, now));
    const log = logs[shown[page] ?? -1];
    if (now !== null && log !== undefined && run.peek() !== log) showLog(log);
  });
  useEffect(() => {
    void drawStills(lesson).then(() => {
      isReady.value = true;
    });
  }, [lesson]);
  return (
    <>
      <Header />
      <p class="report-title">
        {lesson.title}: a hand-out of {content.made}. It needs no network. Nothing is computed: the
        runs are in this file, so press Play where the text says Train.
      </p>
      {isReady.value ? (
        <LessonsPage />
      ) : (
        <p class="report-title" role="status">
          Drawing the figures…
        </p>
      )}
      <PrintedLesson lesson={lesson} made={content.made} />
      <Help shortcuts={KEYS} />
      <TermDialog />
      <Announcer />
      <Tooltip />
    </>
  );
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

export async function showHandout(data: HTMLElement, root: HTMLElement): Promise<void> {
  const content = await unpacked<Content>(data, root);
  if (content === null) return;
  const { lesson, info } = content;
  canTrain.value = false;
  made.value = content.made;
  templates.value = content.figures;
  vocabulary.value = content.catalog;
  catalog.value = content.catalog;
  keepAnswers([
    [requestKey("api/lessons"), [info]],
    [requestKey(`api/lessons/${encodeURIComponent(lesson.name)}`), lesson],
    [requestKey("api/glossary"), content.glossary],
    [requestKey("api/runs?limit=50"), { items: [], total: 0 }],
    ...content.answers.map(
      ({ path, question, answer }) => [requestKey(path, question), answer] as const,
    ),
  ]);
  startFileRouter();
  if (lessonOf(place.value.path) !== lesson.name) {
    location.replace(hrefOf(lessonPlace(lesson.name)));
  }
  startTheme();
  startScreen();
  obeyOneTime();
  startClock();
  startKeys(KEYS);
  const logs = content.runs.map((events, index) => logOfEvents(`run-${index}`, events));
  keptRuns.value = logs;
  render(<Handout content={content} logs={logs} />, root);
}
