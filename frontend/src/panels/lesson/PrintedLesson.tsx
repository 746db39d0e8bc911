/** A lesson on paper: all pages in one column, each with a picture of its scene. */

import { signal } from "@preact/signals";
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Lesson, Question, SceneView } from "../../api/types";
import { scheduler } from "../../charts/scheduler";
import { pause, seek } from "../../state/clock";
import { run, theme } from "../../state/signals";
import { Claim } from "./Claim";
import { showScene } from "./drive";
import { Lab } from "./Lab";
import { sceneAt } from "./lessons";
import { Prose } from "./Prose";
import "./printed.css";

/** By page: its scene as it was drawn, with nothing to press. */
const stills = signal<readonly (Element | null)[]>([]);

/** Figures that are not drawn by then are left as they are. */
const PATIENCE_MS = 8000;
/** A figure that has nothing to draw is not waited for longer than this. */
const EMPTY_MS = 2500;
/** Nor is either given up before so many frames: a busy machine draws few in a second. */
const LEAST_FRAMES = 60;

/** Draws the scene of every page once, and keeps it as it looks at its last step. */
export async function drawStills(lesson: Lesson): Promise<void> {
  const host = document.createElement("div");
  host.className = "lesson-lab drawing";
  host.inert = true;
  document.body.append(host);
  const chosen = theme.peek();
  theme.value = "light"; // as paper is
  const drawn: (Element | null)[] = [];
  for (const { scene } of lesson.content) {
    drawn.push(scene === null ? null : await still(scene, host));
  }
  host.remove();
  theme.value = chosen;
  showScene(null);
  stills.value = drawn;
}

async function still(scene: SceneView, host: HTMLElement): Promise<Element> {
  showScene(scene);
  render(<Lab scene={scene} />, host);
  await frames(2);
  pause();
  if (scene.spec !== null && run.peek() !== null) {
    seek(scene.stop ?? run.peek()?.head ?? 0);
  }
  const begun = performance.now();
  let seen = 0;
  const isSoon = (limit: number) => performance.now() - begun < limit || seen < LEAST_FRAMES;
  do {
    await frames(3);
    seen += 3;
  } while ((isBusy(host) && isSoon(PATIENCE_MS)) || (isBlank(host) && isSoon(EMPTY_MS)));
  const copy = copyOf(host);
  render(null, host);
  return copy;
}

function isBusy(host: Element): boolean {
  const waiting = host.querySelector('[aria-busy="true"], [data-stale="true"]') !== null;
  return waiting || scheduler.busy;
}

/** Whether there is a figure that has drawn nothing yet. */
function isBlank(host: Element): boolean {
  return host.querySelector(":is(.chart-plot, .picture-plot):not(.js-plotly-plot)") !== null;
}

async function frames(count: number): Promise<void> {
  for (let frame = 0; frame < count; frame += 1) await new Promise(requestAnimationFrame);
}

/** The host's picture. A canvas is copied as an image: its copy would be empty. */
function copyOf(host: HTMLElement): Element {
  const copy = host.cloneNode(true) as HTMLElement;
  const painted = host.querySelectorAll("canvas");
  for (const [index, canvas] of copy.querySelectorAll("canvas").entries()) {
    const image = new Image();
    image.src = painted[index]?.toDataURL() ?? "";
    image.style.cssText = canvas.style.cssText;
    image.className = canvas.className;
    canvas.replaceWith(image);
  }
  for (const one of copy.querySelectorAll("[id]")) {
    if (one.closest("svg") === null) one.removeAttribute("id");
  }
  copy.className = "still lesson-lab";
  return copy;
}

export function PrintedLesson({ lesson, made }: { lesson: Lesson; made: string }) {
  return (
    <article class="printed-lesson">
      <h1>{lesson.title}</h1>
      <p>
        {lesson.summary} About {lesson.minutes} minutes. Newton Lab, {made}.
      </p>
      {lesson.content.map((page, index) => (
        <section key={page.title}>
          <h2>
            {index + 1}. {page.title}
          </h2>
          {page.blocks.map((block, place) => {
            const key = `${index}.${place}`;
            if (block.kind === "text") return <Prose key={key} html={block.html} />;
            if (block.kind === "claim") {
              return <Claim key={key} say={block.say} values={block.values} />;
            }
            if (block.kind === "question") {
              return <Asked key={key} question={block.question} scene={sceneAt(lesson, index)} />;
            }
            return null;
          })}
          <Still picture={stills.value[index] ?? null} />
        </section>
      ))}
    </article>
  );
}

/** A question with room for an answer. */
function Asked({ question, scene }: { question: Question; scene: SceneView | null }) {
  const among =
    question.kind !== "arm"
      ? []
      : question.among.length > 0
        ? question.among
        : (scene?.spec?.arms.map((arm) => arm.label) ?? []);
  return (
    <div class="ask">
      <h3>
        <small>Predict</small> {question.ask}
      </h3>
      <p>
        {among.length > 0 ? among.map((label) => `☐ ${label}`).join("    ") : "My answer: ______"}
      </p>
    </div>
  );
}

function Still({ picture }: { picture: Element | null }) {
  const host = useRef<HTMLElement>(null);
  useEffect(() => {
    if (picture !== null) host.current?.replaceChildren(picture);
  }, [picture]);
  return picture === null ? null : <figure ref={host} />;
}
