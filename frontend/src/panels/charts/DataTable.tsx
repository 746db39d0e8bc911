/** The numbers behind a chart, for those who read rather than look. */

import { useEffect, useReducer } from "preact/hooks";
import { outline, unitText } from "../../charts/compose";
import { integer } from "../../charts/format";
import { tableOf } from "../../charts/reading";
import type { ChartModel } from "./model";

const ROWS = 100;
/** Milliseconds between two looks at the run: a table that is read need not flicker. */
const EVERY = 500;

export function DataTable({ model }: { model: ChartModel }) {
  const [, look] = useReducer((times: number) => times + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => look(undefined), EVERY);
    return () => clearInterval(timer);
  }, []);
  // Not followed as a signal: it changes with every frame of a run that plays.
  const view = { ...model.view.peek(), width: 600, height: 300 };
  const { choice } = view;
  const table = tableOf(view, outline(view).curves, ROWS);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the focus
    <section class="chart-table" tabIndex={0} aria-label={`${choice.title}, table`}>
      <table>
        <caption>
          {choice.title}, {unitText({ choice, yLog: false })}
          {table.rows.length < table.total && (
            <>
              {"; "}
              {integer(table.rows.length)} of {integer(table.total)} steps, the export has all
            </>
          )}
        </caption>
        <thead>
          <tr>
            <th scope="col">step</th>
            {table.columns.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row) => (
            <tr key={row.step}>
              <th scope="row">{integer(row.step)}</th>
              {row.cells.map((cell, column) => (
                <td key={table.columns[column]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
