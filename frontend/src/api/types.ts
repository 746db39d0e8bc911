/** Short names for the generated types. */

import type { JsonSchema } from "../state/schema";
import type { components } from "./schema";

type Schemas = components["schemas"];

/**
 * A task or a loss with its parameters, told apart by `name`. The server's registries are open, so
 * the page knows no member by name: the form reads them from the JSON schema.
 */
export interface Named {
  name: string;
  [parameter: string]: unknown;
}

export type ArmSpec = Omit<Schemas["ArmSpec"], "loss"> & { loss: Named | null };
export type Spec = Omit<Schemas["ExperimentSpec"], "task" | "loss" | "arms"> & {
  task: Named;
  loss: Named;
  arms: ArmSpec[];
};
export type Change = Schemas["Change"];

type Started = Omit<Schemas["Started"], "spec"> & { spec: Spec };
export type RunEvent = Exclude<Schemas["Event"], { type: "started" }> | Started;
export type EventOf<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;
export type Spectrum = Schemas["SpectrumRecord"];
export type NormHistogram = Schemas["NormHistogram"];
export type Summary = Schemas["Summary"];
export type Preset = Schemas["Preset"];
export type Catalog = Omit<Schemas["Catalog"], "schema"> & { schema: JsonSchema };
export type Submitted = Schemas["Submitted"];
export type RunInfo = Schemas["RunInfo"];
export type RunDetail = Omit<Schemas["RunDetail"], "spec"> & { spec: Spec };
export type RunPage = Schemas["RunPage"];
