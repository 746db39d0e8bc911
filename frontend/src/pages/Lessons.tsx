/** The course: a list of lessons, and one of them with the lab beside its text. */

import { useEffect } from "preact/hooks";
import type { Lesson, LessonInfo, SceneView } from "../api/types";
import { formatCount, formatDuration } from "../format";
import { Ask } from "../panels/lesson/Ask";
import { answers, download } from "../panels/lesson/answers";
import { Claim } from "../panels/lesson/Claim";
import { keepToScene, showScene } from "../panels/lesson/drive";
import { GlossaryList } from "../panels/lesson/Glossary";
import { HandoutButton } from "../panels/lesson/HandoutButton";
import { Lab } from "../panels/lesson/Lab";
import {
  followLesson,
  lesson,
  lessonOf,
  lessonPlace,
  lessonProblem,
  lessons,
  loadLessons,
  sceneAt,
} from "../panels/lesson/lessons";
import { Prose } from "../panels/lesson/Prose";
import { showShared } from "../panels/lesson/shared";
import { place } from "../state/address/router";
import { catalog } from "../state/draft";
import { scene } from "../state/scene";
import { canTrain } from "../state/signals";
import { Link } from "../ui/Link";
import "../panels/lesson/lesson.css";
import "../panels/lesson/list.css";

export function LessonsPage() {
  const name = lessonOf(place.value.path);
  return name === null ? <LessonList /> : <LessonView key={name} name={name} />;
}

function LessonList() {
  useEffect(() => void loadLessons(), []);
  const list = lessons.value;
  const minutes = list?.reduce((sum, one) => sum + one.minutes, 0) ?? 0;
  return (
    <main class="runs course">
      <div class="course-head">
        <h2 class="course-title">Lessons</h2>
        <p>
          What does curvature do for learning? Read, predict,{" "}
          {canTrain.value ? "press Train" : "play"}, and see. Each lesson has the lab beside its
          text, and each of its claims was measured on the runs that you see.
          {list !== null && list.length > 0 && (
            <>
              {" "}
              {formatCount(list.length)} {list.length === 1 ? "lesson" : "lessons"},{" "}
              {formatDuration(60 * minutes)} in all.
            </>
          )}
        </p>
      </div>
      <Problem />
      {list === null && lessonProblem.value === null && <p class="hint">Loading…</p>}
      <ol class="lesson-list">
        {list?.map((info, index) => (
          <li key={info.name}>
            <LessonCard info={info} number={index + 1} />
          </li>
        ))}
      </ol>
      <p class="hint">
        Your answers stay in this browser.{" "}
        <button type="button" class="link" onClick={download}>
          Save them as a file
        </button>
      </p>
      <GlossaryList />
    </main>
  );
}

function LessonCard({ info, number }: { info: LessonInfo; number: number }) {
  const own = Object.values(answers.value[info.name] ?? {});
  const right = own.filter((answer) => answer.right === true).length;
  return (
    <Link to={lessonPlace(info.name)} class="panel lesson-card">
      <span class="lesson-number">{info.own ? "★" : number}</span>
      <span class="lesson-words">
        <b>{info.title}</b>
        <span>{info.summary}</span>
        <small class="lesson-facts">
          {info.minutes} minutes, {info.pages} pages
          {own.length > 0 && `; ${right} of ${own.length} predictions right`}
          {info.problems > 0 && (
            <span class="warn">
              ; {info.problems} {info.problems === 1 ? "mistake" : "mistakes"} in its file
            </span>
          )}
        </small>
      </span>
    </Link>
  );
}

function Problem() {
  if (lessonProblem.value === null) return null;
  return (
    <div class="notice notice-warn" role="alert">
      <p>{lessonProblem.value}</p>
      <Link to={{ path: "lessons", search: "" }}>All lessons</Link>
    </div>
  );
}

/** The page that the address names, from 0. */
function pageIn(search: string, pages: number): number {
  const wanted = Number(new URLSearchParams(search).get("page") ?? 1);
  return Number.isInteger(wanted) ? Math.max(0, Math.min(pages - 1, wanted - 1)) : 0;
}

function LessonView({ name }: { name: string }) {
  useEffect(() => followLesson(name), [name]);
  useEffect(keepToScene, []);
  useEffect(() => () => showScene(null), []);
  const found = lesson.value;
  if (found === null || found.name !== name) {
    return (
      <main class="runs">
        <Problem />
        {lessonProblem.value === null && <p class="hint">Loading…</p>}
      </main>
    );
  }
  return <LessonPages found={found} />;
}

function LessonPages({ found }: { found: Lesson }) {
  const at = pageIn(place.value.search, found.content.length);
  const page = found.content[at];
  const text = JSON.stringify(sceneAt(found, at));
  const known = catalog.value !== null;
  useEffect(() => {
    if (known) showScene(JSON.parse(text));
  }, [text, known]);
  useEffect(() => {
    document.querySelector(".lesson-text")?.scrollTo(0, 0);
    scrollTo(0, 0);
  }, []);
  const now = scene.value;
  if (page === undefined) return null;
  return (
    <main class="lesson">
      <article class="lesson-text" aria-labelledby="lesson-page">
        <p class="lesson-crumbs">
          <Link to={{ path: "lessons", search: "" }}>Lessons</Link> <span>{found.title}</span>
          {canTrain.value && found.problems === 0 && <HandoutButton lesson={found} />}
        </p>
        <Pages found={found} at={at} />
        <h2 id="lesson-page">{page.title}</h2>
        <Problem />
        {page.blocks.map((block, index) => {
          const key = `${at}.${index}`;
          switch (block.kind) {
            case "text":
              return <Prose key={key} html={block.html} />;
            case "question":
              return (
                <Ask key={block.id} lesson={found.name} id={block.id} question={block.question} />
              );
            case "claim":
              return <Claim key={key} say={block.say} values={block.values} />;
            default:
              return (
                <p key={key} class="notice notice-warn" role="alert">
                  Line {block.line} of the lesson’s file: {block.message}
                </p>
              );
          }
        })}
        <Pager found={found} at={at} />
      </article>
      <Shared shown={now} search={place.value.search} />
      <section class="lesson-lab" aria-label="The lab">
        {now === null ? <p class="hint">Loading…</p> : <Lab key={now.page} scene={now} />}
      </section>
    </main>
  );
}

/** What the address says of the lab, once its scene is there. */
function Shared({ shown, search }: { shown: SceneView | null; search: string }) {
  useEffect(() => showShared(shown, search), [shown, search]);
  return null;
}

/** Where one is in the lesson, and how to get elsewhere. */
function Pages({ found, at }: { found: Lesson; at: number }) {
  return (
    <nav class="lesson-pages" aria-label="Pages of the lesson">
      {found.content.map((page, index) => (
        <Link
          key={page.title}
          to={lessonPlace(found.name, index + 1)}
          data-tip={page.title}
          aria-current={index === at ? "page" : undefined}
        >
          <span>
            {index + 1}: {page.title}
          </span>
        </Link>
      ))}
    </nav>
  );
}

function Pager({ found, at }: { found: Lesson; at: number }) {
  const count = found.content.length;
  const next =
    lessons.value?.[(lessons.value?.findIndex((one) => one.name === found.name) ?? -2) + 1];
  useEffect(() => {
    if (lessons.peek() === null) void loadLessons();
  }, []);
  return (
    <div class="lesson-pager">
      {at > 0 && (
        <Link to={lessonPlace(found.name, at)} class="button">
          Back
        </Link>
      )}
      <span>
        {at + 1} of {count}
      </span>
      {at < count - 1 ? (
        <Link to={lessonPlace(found.name, at + 2)} class="button go">
          Next
        </Link>
      ) : (
        <Link
          to={next === undefined ? { path: "lessons", search: "" } : lessonPlace(next.name)}
          class="button go"
        >
          {next === undefined ? "All lessons" : `Next lesson: ${next.title}`}
        </Link>
      )}
    </div>
  );
}
