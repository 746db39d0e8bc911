/** Puzzles that each arm puts together: tiles wander to their places as playback goes on. */

import type { JigsawItem } from "./items";
import { describePuzzle, puzzlesOf, tallyPuzzles, tilesOf } from "./jigsaw";
import type { ExamplesProps, SharedProps } from "./props";
import "./jigsaw.css";
import "./pictures.css";

export function Jigsaw({ items, label, look }: ExamplesProps) {
  const shown = puzzlesOf(items);
  return (
    <figure class="arm-pictures" style={{ color: look.colour }}>
      <ol class="jigsaw-puzzles">
        {shown.map((item) => (
          <li key={item.puzzle} data-tip={describePuzzle(item, label)}>
            <Puzzle item={item} text={describePuzzle(item, label)} />
          </li>
        ))}
      </ol>
      <figcaption>{tallyPuzzles(shown)}</figcaption>
    </figure>
  );
}

/** The pictures, whole. */
export function WholePictures({ all }: SharedProps) {
  return (
    <div class="examples-row">
      <h3>The pictures</h3>
      <figure class="arm-pictures">
        <ol class="jigsaw-puzzles">
          {puzzlesOf(all[0] ?? []).map((item) => {
            const places = item.right.map((_, place) => place);
            const whole = { ...item, placed: places, right: places.map(() => true) };
            return (
              <li key={item.puzzle}>
                <Puzzle item={whole} text={`The picture of puzzle ${item.puzzle + 1}`} />
              </li>
            );
          })}
        </ol>
      </figure>
    </div>
  );
}

/** How to read the puzzles. */
export function JigsawNotes() {
  return (
    <div class="drive-notes">
      <ul class="map-legend">
        <li>
          <svg viewBox="0 0 1 1" aria-hidden="true">
            <rect class="jigsaw-frame" x=".1" y=".1" width=".8" height=".8" />
          </svg>
          a tile that shows what does not belong at its place
        </li>
      </ul>
      <p class="jigsaw-why">
        The network sees one tile at a time and scores it at every place. Transport turns the scores
        into a plan whose rows and columns sum to one, so that two tiles that want one place push
        each other away; the picture is the assignment with the greatest sum of scores.
      </p>
    </div>
  );
}

function Puzzle({ item, text }: { item: JigsawItem; text: string }) {
  const { across, image } = item;
  return (
    <svg class="jigsaw-puzzle" viewBox={`0 0 ${across} ${across}`} role="img" aria-label={text}>
      {tilesOf(item).map(({ home: [column, row], at: [x, y], right }) => (
        <g
          key={`${column},${row}`}
          class="jigsaw-tile"
          style={{ transform: `translate(${x}px, ${y}px)` }}
        >
          <svg width="1" height="1" viewBox={`${column} ${row} 1 1`} aria-hidden="true">
            {image !== null && (
              <image href={image} width={across} height={across} preserveAspectRatio="none" />
            )}
          </svg>
          <rect
            class={right ? "jigsaw-edge" : "jigsaw-frame"}
            x=".02"
            y=".02"
            width=".96"
            height=".96"
          />
        </g>
      ))}
    </svg>
  );
}
