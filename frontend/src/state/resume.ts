/** Goes on with a run that was stopped or failed. */

import { send } from "../api/client";
import type { Submitted } from "../api/types";
import { navigate } from "./address/router";

/** A new run, from the last snapshot of the one called `id`; the page goes there. */
export async function resume(id: string): Promise<void> {
  const { id: next } = await send<Submitted>("POST", `api/runs/${encodeURIComponent(id)}/resume`);
  navigate({ path: `runs/${next}`, search: "" });
}
