/** Something went wrong that belongs to no field: what, and how to try again. */

import { signal } from "@preact/signals";

export interface Failure {
  message: string;
  retry: (() => void) | null;
}

/** The last one; what is begun next clears it. */
export const failure = signal<Failure | null>(null);
