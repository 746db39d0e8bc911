/** The numbers behind a chart, for those who read rather than look. */

import { integer } from "../../charts/format";
import type { Drawn } from "../../charts/plotter";
import { tableOf } from "../../charts/reading";

const ROWS = 100;

export function DataTable({ drawn }: { drawn: Drawn | null }) {
  if (drawn === null) return <p class="chart-message">No numbers yet.</p>;
  const { choice } = drawn.view;
  const table = tableOf(drawn.view, drawn.curves, ROWS);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the focus
    <section class="chart-table" tabIndex={0} aria-label={`${choice.title}, table`}>
      <table>
        <caption>
          {choice.title}, {choice.unit}
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
