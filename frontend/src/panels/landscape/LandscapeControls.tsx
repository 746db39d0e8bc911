/** How landscapes draw, in one quiet line. */

import { canTrain, type LandscapePlane, landscapeSettings } from "../../state/signals";
import { Choice } from "../../ui/Choice";
import { ShapeChoice } from "./ShapeChoice";

const PLANES: Record<LandscapePlane, string> = {
  run: "fixed before training",
  trajectory: "nearest to each arm's path",
  principal: "nearest to all paths",
  filter_normalised: "two random directions",
  arms: "through the arms' weights",
};

/** `plane`: the one that is shown. */
export function LandscapeControls({ plane }: { plane: LandscapePlane }) {
  const { plane: chosen, points, surface, log, shared } = landscapeSettings;
  return (
    <div class="landscapes-controls">
      {canTrain.value && (
        <Choice
          label="plane"
          value={chosen.value ?? "auto"}
          options={[
            ["auto", chosen.value === null ? `automatic: ${PLANES[plane]}` : "automatic"],
            ...(Object.entries(PLANES) as [LandscapePlane, string][]),
          ]}
          onChange={(value) => {
            chosen.value = value === "auto" ? null : value;
          }}
        />
      )}
      {plane !== "run" && canTrain.value && (
        <Choice
          label="points per side"
          value={`${points.value}`}
          options={[21, 41, 61, 81, 101].map((n) => [`${n}`, `${n}`])}
          onChange={(value) => {
            points.value = Number(value);
          }}
        />
      )}
      <ShapeChoice surface={surface} />
      <Choice
        label="height"
        value={log.value ? "log" : "linear"}
        options={[
          ["log", "log"],
          ["linear", "linear"],
        ]}
        onChange={(value) => {
          log.value = value === "log";
        }}
      />
      <Choice
        label="colours"
        value={shared.value ? "shared" : "own"}
        options={[
          ["shared", "shared by all"],
          ["own", "each its own"],
        ]}
        onChange={(value) => {
          shared.value = value === "shared";
        }}
      />
    </div>
  );
}
