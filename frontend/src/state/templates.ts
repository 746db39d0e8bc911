/** Chart templates; null until they are there. A report sets them itself. */

import { signal } from "@preact/signals";
import { ApiError, request } from "../api/client";
import type { Templates } from "../charts/templates";
import { failure } from "./failure";

export const templates = signal<Templates | null>(null);

export async function loadTemplates(): Promise<void> {
  if (templates.peek() !== null) return;
  try {
    templates.value = await request<Templates>("api/figures");
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    failure.value = { message: error.message, retry: () => void loadTemplates() };
  }
}
