/** The hub that all tabs of a browser share: a shared worker, which plain http has too. */

import { Hub, type Port } from "./hub";

const hub = new Hub();

addEventListener("connect", (event) => {
  const port = (event as MessageEvent).ports[0];
  if (port !== undefined) hub.connect(port as Port);
});
