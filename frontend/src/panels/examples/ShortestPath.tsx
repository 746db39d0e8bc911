/** A map through the eyes of an arm: the path that it finds, and the costs that lead to it. */

import { useId } from "preact/hooks";
import { canTrain } from "../../state/signals";
import { isMapItem, type MapItem } from "./items";
import { Costs, Terrain } from "./MapPicture";
import { costScale, describeCosts, describeRoute, mapItem, verdict } from "./maps";
import "./maps.css";
import { useNoise } from "./noise";
import type { ExamplesProps, SharedProps } from "./props";

export function ShortestPath({ arm, items, all, group, look, label }: ExamplesProps) {
  const item = mapItem(items, group);
  if (item === undefined) return <p class="map-words">nothing yet</p>;
  const optimal = items.filter(isMapItem).filter((one) => one.optimal).length;
  return (
    <div class="map-pair">
      {/* Another map starts with its own path, not with the samples of the last. */}
      <RouteFigure key={group} arm={arm} item={item} colour={look.colour} label={label} />
      <figure class="map-figure">
        <Costs
          item={item}
          label={`${label}: ${describeCosts(item)}`}
          scale={costScale(all.flatMap((theirs) => mapItem(theirs, group) ?? []))}
          colour={look.colour}
        />
        <figcaption>
          its costs
          <span class="map-tally">
            {optimal} of {items.length} maps optimal
          </span>
        </figcaption>
      </figure>
    </div>
  );
}

interface RouteProps {
  arm: number;
  item: MapItem;
  colour: string;
  label: string;
}

/** The arm's path over the map; a press shows those of its noise samples instead. */
function RouteFigure({ arm, item, colour, label }: RouteProps) {
  const id = useId();
  const noise = useNoise(arm, item);
  const picture = (
    <Terrain
      item={item}
      label={`${label}: ${describeRoute(item)}`}
      colour={colour}
      samples={noise.paths}
    />
  );
  return (
    <figure class="map-figure">
      {noise.offered && canTrain.value ? (
        <button
          type="button"
          class="map-button"
          aria-pressed={noise.open.value}
          aria-label={`${label}: show the paths of the noise samples`}
          aria-describedby={id}
          data-tip="Press to see the paths of the noise samples behind the gradient"
          onClick={() => {
            noise.open.value = !noise.open.value;
          }}
        >
          {picture}
        </button>
      ) : (
        picture
      )}
      <figcaption id={id}>
        {noise.words ?? <Verdict item={item} />}
        <span class="visually-hidden">{describeRoute(item)}</span>
      </figcaption>
    </figure>
  );
}

function Verdict({ item }: { item: MapItem }) {
  return <span class={`map-verdict ${item.optimal ? "right" : "wrong"}`}>{verdict(item)}</span>;
}

/** The map itself with the true path, the same for all arms. */
export function TrueMap({ all, group }: SharedProps) {
  const item = all.map((items) => mapItem(items, group)).find((one) => one?.image != null);
  if (item === undefined) return null;
  return (
    <div class="examples-row">
      <h3>True path</h3>
      <div class="map-pair">
        <figure class="map-figure">
          <Terrain
            item={item}
            label={
              `Map ${item.map + 1}, ${item.height} by ${item.width} tiles, with its cheapest path` +
              ` of ${item.true_path.length} tiles from the top-left to the bottom-right.`
            }
          />
          <figcaption>the cheapest, of {item.true_path.length} tiles</figcaption>
        </figure>
      </div>
    </div>
  );
}
