/** The page that the server serves. */

import { render } from "preact";
import { ApiError, request } from "./api/client";
import { shareHub } from "./api/sharedHub";
import type { Catalog } from "./api/types";
import { App } from "./app";
import { obeyOneTime } from "./charts/oneTime";
import { obeyPaper } from "./charts/paper";
import { resumeFollowing } from "./panels/classroom/follower";
import { resumePresentation } from "./panels/classroom/teacher";
import { applyView, startAddress } from "./state/address/compare";
import { place, startRouter } from "./state/address/router";
import { startClock } from "./state/clock";
import { catalog } from "./state/draft";
import { failure } from "./state/failure";
import { startScreen, startTheme } from "./state/theme";
import { vocabulary } from "./state/vocabulary";
import "./styles";

async function loadCatalog(): Promise<void> {
  try {
    const known = await request<Catalog>("api/catalog");
    failure.value = null;
    vocabulary.value = known;
    catalog.value = known; // which loads what the address names, and may fail at that
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    failure.value = { message: error.message, retry: () => void loadCatalog() };
  }
}

shareHub();
startRouter();
startTheme();
startScreen();
applyView(place.value.search);
obeyOneTime();
obeyPaper();
startClock();
startAddress();
void loadCatalog();
resumePresentation();
resumeFollowing();

const root = document.getElementById("page");
if (root !== null) render(<App />, root);
