/** While the run plays, all charts show one time, and the clock waits until they do. */

import { playing, waitForDrawings } from "../state/clock";
import { scheduler } from "./scheduler";

export function obeyOneTime(): void {
  scheduler.together = () => playing.peek();
  waitForDrawings(() => scheduler.busy);
}
