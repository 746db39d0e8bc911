/** The page's way to the hub that its browser's tabs share. */

import type { Port } from "./hub";
import { shareStreams } from "./stream";

/** Where there are no shared workers, each tab keeps connections of its own. */
export function shareHub(): void {
  if (typeof SharedWorker === "undefined") return;
  shareStreams((onFailure) => {
    const worker = new SharedWorker(new URL("./hubWorker.ts", import.meta.url), {
      type: "module",
      name: "newton-lab",
    });
    worker.onerror = onFailure;
    return worker.port as Port;
  });
}
