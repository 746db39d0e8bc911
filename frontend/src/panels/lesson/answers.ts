/** A student's answers: on this device alone, and as a file where the student wants one. */

import { signal } from "@preact/signals";

const KEY = "newton-lab-answers";

/** An arm's label, a number, or a curve's heights from the first step to the last. */
export type Given = string | number | readonly number[];

export interface Answer {
  given: Given;
  /** Whether the run agreed; null: it has not said yet. */
  right: boolean | null;
}

export type Answers = Readonly<Record<string, Readonly<Record<string, Answer>>>>;

/** By lesson and question. */
export const answers = signal<Answers>(read());

export function answerTo(lesson: string, question: string): Answer | null {
  return answers.value[lesson]?.[question] ?? null;
}

/** Keeps an answer; null forgets it. */
export function keep(lesson: string, question: string, answer: Answer | null): void {
  const { [question]: _, ...others } = answers.peek()[lesson] ?? {};
  const own = answer === null ? others : { ...others, [question]: answer };
  answers.value = { ...answers.peek(), [lesson]: own };
  try {
    localStorage.setItem(KEY, JSON.stringify(answers.peek()));
  } catch {
    // storage is switched off: the answers last as long as the page
  }
}

function read(): Answers {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof found === "object" && found !== null ? (found as Answers) : {};
  } catch {
    return {};
  }
}

/** Saves all answers as a JSON file. */
export function download(): void {
  const text = JSON.stringify(answers.peek(), null, 2);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "newton-lab-answers.json";
  link.click();
  URL.revokeObjectURL(link.href);
}
