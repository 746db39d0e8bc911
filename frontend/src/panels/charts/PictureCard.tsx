/** A panel's own picture with the controls that every chart has, or the table in its place. */

import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Drawing } from "../../charts/drawing";
import { downloadDrawing, type PictureFormat } from "../../charts/image";
import type { PlanePoint } from "../../charts/landscape";
import { Picture } from "../../charts/Picture";
import "./charts.css";
import { DataTable } from "./DataTable";
import "./picture.css";
import { Toolbar } from "./Toolbar";

interface Props {
  /** What to draw; null: nothing yet. Followed. */
  figure: ReadonlySignal<Drawing | null>;
  /** Title of its file and of its table. */
  title: string;
  /** What the picture says, in words: written into its file. */
  note?: string | undefined;
  /** What a screen reader hears. */
  label: string;
  /** Shown while there is nothing to draw. */
  waiting?: string;
  onPick?(point: PlanePoint): void;
}

export function PictureCard({ figure, title, note, label, waiting = "", onPick }: Props) {
  const table = useSignal(false);
  const expanded = useSignal(false);
  const problem = useSignal<string | null>(null);
  const host = useRef<HTMLElement | null>(null);
  const drawing = figure.value;
  const save = (format: PictureFormat): void => {
    const element = host.current;
    if (drawing === null || element === null) return;
    problem.value = null;
    downloadDrawing(drawing, element, { name: title, note }, format).catch((reason: unknown) => {
      problem.value = `The picture could not be made: ${String(reason)}`;
    });
  };
  return (
    <div class="picture-card" data-expanded={expanded.value}>
      {drawing !== null && (
        <Toolbar title={title} table={table} expanded={expanded} onPicture={save} />
      )}
      {drawing !== null && table.value && <DataTable title={title} tables={drawing.tables()} />}
      <div class="picture-place" hidden={table.value}>
        <Picture
          figure={figure}
          label={label}
          onHost={(element) => {
            host.current = element;
          }}
          {...(onPick === undefined ? {} : { onPick })}
        />
        {drawing === null && waiting !== "" && <p class="chart-message">{waiting}</p>}
      </div>
      {problem.value !== null && (
        <p class="chart-problem" role="alert">
          {problem.value}
        </p>
      )}
    </div>
  );
}
