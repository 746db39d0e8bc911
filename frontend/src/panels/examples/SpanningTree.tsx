/** The road net that an arm builds over a map, beside the cheapest one. */

import { formatMeasured } from "../../format";
import { isTreeItem, type TreeItem } from "./items";
import "./maps.css";
import type { ExamplesProps, SharedProps } from "./props";

type Edge = TreeItem["true_net"][number];

export function SpanningTree({ items, group, look, label }: ExamplesProps) {
  const item = items.filter(isTreeItem).find((one) => one.map === group);
  if (item === undefined) return <p class="map-words">nothing yet</p>;
  const words = verdict(item);
  return (
    <figure class="map-figure">
      <Net
        item={item}
        net={item.predicted_net ?? []}
        colour={look.colour}
        label={`${label}: ${words}`}
      />
      <figcaption>
        <span class={`map-verdict ${item.optimal ? "right" : "wrong"}`}>{words}</span>
      </figcaption>
    </figure>
  );
}

/** The map with its cheapest net, the same for all arms. */
export function TrueTree({ all, group }: SharedProps) {
  const item = all
    .map((items) => items.filter(isTreeItem).find((one) => one.map === group))
    .find((one) => one?.image != null);
  if (item === undefined) return null;
  return (
    <div class="examples-row">
      <h3>Cheapest net</h3>
      <figure class="map-figure">
        <Net item={item} net={item.true_net} label={`Map ${item.map + 1} with its cheapest net`} />
        <figcaption>joins all {item.height * item.width} tiles</figcaption>
      </figure>
    </div>
  );
}

interface NetProps {
  item: TreeItem;
  net: readonly Edge[];
  label: string;
  colour?: string;
}

/** One unit a tile; an edge joins the middles of its tiles. */
function Net({ item, net, label, colour }: NetProps) {
  const d = net.map(([[r, c], [s, e]]) => `M${c + 0.5} ${r + 0.5}L${e + 0.5} ${s + 0.5}`).join("");
  return (
    <svg
      class="map-picture"
      viewBox={`0 0 ${item.width} ${item.height}`}
      role="img"
      aria-label={label}
    >
      {item.image !== null && (
        <image
          href={item.image}
          width={item.width}
          height={item.height}
          preserveAspectRatio="none"
        />
      )}
      <path class="map-casing" d={d} />
      <path class="map-route" d={d} style={colour === undefined ? {} : { stroke: colour }} />
    </svg>
  );
}

/** The edges of a net as text, whatever their order. */
function edgesOf(net: readonly Edge[]): string {
  return net
    .map((edge) => edge.map(String).sort().join("-"))
    .sort()
    .join(" ");
}

function verdict(item: TreeItem): string {
  if (item.cost_ratio === null) return "no net: a cost is not finite";
  if (item.optimal) {
    const isSame = edgesOf(item.predicted_net ?? []) === edgesOf(item.true_net);
    return isSame ? "optimal: the same net" : "optimal: another net, as cheap";
  }
  return `costs ${formatMeasured((item.cost_ratio - 1) * 100, 2)}\u00a0% more`;
}
