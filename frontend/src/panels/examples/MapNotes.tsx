/** How to read the maps: the scale of the costs, the marks, and all of it as a table. */

import { formatMeasured } from "../../format";
import { isMapItem, type MapItem } from "./items";
import { type CostScale, costScale, mapItem, verdict, wrongTiles } from "./maps";
import type { SharedProps } from "./props";

export function MapNotes({ all, group, labels }: SharedProps) {
  const scale = costScale(all.flatMap((items) => mapItem(items, group) ?? []));
  return (
    <div class="map-notes">
      <ul class="map-legend">
        <li>
          <svg viewBox="0 0 2.4 1" aria-hidden="true">
            <rect class="map-backdrop" width="2.4" height="1" />
            <circle class="map-true" cx="0.6" cy="0.5" r="0.22" />
            <circle class="map-true" cx="1.8" cy="0.5" r="0.22" />
          </svg>
          true path
        </li>
        <li>
          <svg viewBox="0 0 2.4 1" aria-hidden="true">
            <path class="map-route map-any" d="M.2 .5H2.2" />
          </svg>
          the arm's path
        </li>
        <li>
          <svg viewBox="0 0 1 1" aria-hidden="true">
            <path class="map-cross" d="M.2 .2l.6 .6m0 -.6l-.6 .6" />
          </svg>
          wrong tile
        </li>
        {scale !== null && <ScaleBar scale={scale} />}
      </ul>
      <details class="map-table">
        <summary>All maps as a table</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the focus */}
        <section tabIndex={0} aria-label="Paths and costs, table">
          <table>
            <thead>
              <tr>
                {["arm", "map", "path", "wrong tiles", "cost ratio", "costs"].map((name) => (
                  <th scope="col" key={name}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {all.flatMap((items, arm) =>
                items
                  .filter(isMapItem)
                  .map((item) => (
                    <Row key={`${arm},${item.map}`} item={item} label={labels[arm] ?? ""} />
                  )),
              )}
            </tbody>
          </table>
        </section>
      </details>
    </div>
  );
}

function ScaleBar({ scale }: { scale: CostScale }) {
  return (
    <li>
      {formatMeasured(scale.low)}
      <span class="map-scale" aria-hidden="true" />
      {formatMeasured(scale.high)}
      <span>cost of a tile, one {scale.log ? "logarithmic " : ""}scale for all arms</span>
    </li>
  );
}

function Row({ item, label }: { item: MapItem; label: string }) {
  const own = costScale([item]);
  return (
    <tr>
      <th scope="row">{label}</th>
      <td>{item.map + 1}</td>
      <td>{verdict(item).split(":")[0]}</td>
      <td>{item.predicted_path === null ? "–" : wrongTiles(item).length}</td>
      <td>{item.cost_ratio === null ? "–" : formatMeasured(item.cost_ratio)}</td>
      <td>{own === null ? "–" : `${formatMeasured(own.low)} to ${formatMeasured(own.high)}`}</td>
    </tr>
  );
}
