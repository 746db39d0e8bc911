/** The sentence on a log of three arms, for tests. */

import type { Expectation } from "../src/panels/sentence/evidence";
import { plainText } from "../src/panels/sentence/parts";
import { sentence } from "../src/panels/sentence/sentence";
import { evaluation, logOf, started } from "./logs";

export type Events = Parameters<typeof logOf>[0];

export function say(events: Events, step: number, expectation: Expectation | null = null): string {
  return plainText(sentence(logOf([started(), ...events]), step, { expectation }));
}

export function at(step: number, values: [number, number][]) {
  return values.map(([value, error], arm) =>
    evaluation(arm, step, { exact_match: value, exact_match_se: error, elementwise: 0.5 }),
  );
}
