/** The report of a run as a file: the server computes its pictures first. */

import { signal } from "@preact/signals";
import { ApiError, exportUrl, requestFile } from "../../api/client";
import { failure } from "../../state/failure";
import { saveFile } from "../../ui/saveFile";

/** Whether a report is being made. */
export const makesReport = signal(false);

/** Makes the report of a run and hands it to the browser's downloads. */
export async function saveReport(id: string): Promise<void> {
  if (makesReport.peek()) return;
  makesReport.value = true;
  failure.value = null;
  try {
    const { content, name } = await requestFile(exportUrl(id, "html"));
    saveFile(content, name);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    failure.value = { message: `No report: ${error.message}`, retry: () => void saveReport(id) };
  } finally {
    makesReport.value = false;
  }
}
