/** Lessons: which there are, and the one that is read. */

import { signal } from "@preact/signals";
import { ApiError, request } from "../../api/client";
import type { Lesson, LessonInfo, SceneView, Term } from "../../api/types";

export const lessons = signal<readonly LessonInfo[] | null>(null);
export const lesson = signal<Lesson | null>(null);
export const lessonProblem = signal<string | null>(null);
export const glossary = signal<readonly Term[]>([]);

/** A lesson of one's own is asked for again so often: what its file says shows at once. */
const RELOAD_MS = 1500;

/** The name of the lesson that a path shows; null: none. */
export function lessonOf(path: string): string | null {
  const found = /^lessons\/([^/]+)$/.exec(path)?.[1];
  return found === undefined ? null : decodeURIComponent(found);
}

export function lessonPlace(name: string, page = 1) {
  return {
    path: `lessons/${encodeURIComponent(name)}`,
    search: page > 1 ? `?page=${page}` : "",
  };
}

/** Marks an address that says what the lab shows; any other leaves it to the scene. */
export const LAB = "lab";

export function saysLab(search: string): boolean {
  return new URLSearchParams(search).has(LAB);
}

/** The scene that a page shows: its own, or that of the page before. */
export function sceneAt({ content }: Lesson, page: number): SceneView | null {
  return content.slice(0, page + 1).findLast(({ scene }) => scene !== null)?.scene ?? null;
}

export async function loadLessons(): Promise<void> {
  await attempt(async () => {
    lessons.value = await request<LessonInfo[]>("api/lessons");
  });
}

export async function loadGlossary(): Promise<void> {
  if (glossary.peek().length > 0) return;
  await attempt(async () => {
    glossary.value = await request<Term[]>("api/glossary");
  });
}

/** Reads a lesson, and again and again where its file may change; returns how to stop. */
export function followLesson(name: string): () => void {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let text = "";
  const load = async (): Promise<void> => {
    const path = `api/lessons/${encodeURIComponent(name)}`;
    await attempt(async () => {
      const found = await request<Lesson>(path, { signal: stop.signal });
      const now = JSON.stringify(found);
      if (now !== text) lesson.value = found;
      text = now;
    });
    const own = lesson.peek()?.own ?? false;
    if (own && !stop.signal.aborted) timer = setTimeout(() => void load(), RELOAD_MS);
  };
  lesson.value = null;
  void load();
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
    lessonProblem.value = null;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    if (!(error instanceof ApiError)) throw error;
    lessonProblem.value = error.message;
  }
}
