/** The numbers behind a chart or a picture, for those who read rather than look. */

import { useEffect, useReducer } from "preact/hooks";
import { outline, unitText } from "../../charts/compose";
import type { Numbers } from "../../charts/drawing";
import { tableOf } from "../../charts/reading";
import { formatCount } from "../../format";
import type { ChartModel } from "./model";
import "./table.css";

const ROWS = 100;
/** Milliseconds between two looks at the run: a table that is read need not flicker. */
const EVERY = 500;

/** Tables that scroll in the place of what they tell of. */
export function DataTable({ title, tables }: { title: string; tables: readonly Numbers[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the focus
    <section class="chart-table" tabIndex={0} aria-label={`${title}, table`}>
      {tables.map((table) => (
        <table key={table.caption}>
          <caption>{table.caption}</caption>
          <thead>
            <tr>
              <th scope="col">{table.corner}</th>
              {table.columns.map((name, column) => (
                <th scope="col" key={column}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row) => (
              <tr key={row.name}>
                <th scope="row">{row.name}</th>
                {row.cells.map((cell, column) => (
                  <td key={column}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      ))}
    </section>
  );
}

/** The table of a chart of the run, at its playback step. */
export function ChartTable({ model }: { model: ChartModel }) {
  const [, look] = useReducer((times: number) => times + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => look(undefined), EVERY);
    return () => clearInterval(timer);
  }, []);
  // Not followed as a signal: it changes with every frame of a run that plays.
  const view = { ...model.view.peek(), smoothing: 1, width: 600, height: 300 };
  const { choice } = view;
  const table = tableOf(view, outline(view).curves, ROWS);
  const unit = `${choice.title}, ${unitText({ ...view, yLog: false })}`;
  const part =
    table.rows.length < table.total
      ? `; ${formatCount(table.rows.length)} of ${formatCount(table.total)} steps, the export has all`
      : "";
  const numbers: Numbers = {
    caption: unit + part,
    corner: "step",
    columns: table.columns,
    rows: table.rows.map((row) => ({ name: formatCount(row.step), cells: row.cells })),
  };
  return <DataTable title={choice.title} tables={[numbers]} />;
}
