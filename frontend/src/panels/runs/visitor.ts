/** Whoever looks, as the server sees them: a visitor among others, or the admin. */

import { signal } from "@preact/signals";
import { ApiError, request } from "../../api/client";
import type { Schemas } from "../../api/types";

export const visitor = signal<Schemas["VisitorInfo"] | null>(null);

export async function loadVisitor(): Promise<void> {
  try {
    visitor.value = await request<Schemas["VisitorInfo"]>("api/visitor");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // the list of runs says what is wrong
  }
}
