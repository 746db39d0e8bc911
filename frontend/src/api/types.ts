/** Short names for the generated types. */

import type { JsonSchema } from "../state/schema";
import type { components } from "./schema";

export type Schemas = components["schemas"];

/** A request: all but what it needs can be left to the server. */
export type Asked<T, Needed extends keyof T> = Pick<T, Needed> & Partial<T>;

/**
 * A task or a loss with its parameters, told apart by `name`. The server's registries are open, so
 * the page knows no member by name: the form reads them from the JSON schema.
 */
export type Named = Schemas["Named"];
export type ArmSpec = Schemas["ArmSpec"];
export type Spec = Schemas["ExperimentSpec"];
export type Change = Schemas["Change"];

export type RunEvent = Schemas["Event"];
export type EventOf<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;
export type Example = Schemas["Example"];
export type Spectrum = Schemas["SpectrumRecord"];
export type NormHistogram = Schemas["NormHistogram"];
export type Summary = Schemas["Summary"];
export type Preset = Schemas["Preset"];
export type Catalog = Omit<Schemas["Catalog"], "schema"> & { schema: JsonSchema };
export type Submitted = Schemas["Submitted"];
export type RunInfo = Schemas["RunInfo"];
export type RunDetail = Schemas["RunDetail"];
export type RunPage = Schemas["RunPage"];
export type ComparisonAnswer = Schemas["ComparisonAnswer"];
export type ResultInfo = Schemas["ResultInfo"];
export type ResultAnswer = Schemas["ResultAnswer"];
export type RowResult = Schemas["RowResult"];
export type ArmResult = Schemas["ArmResult"];
export type ResultMetric = Schemas["MetricRecord"];
export type ResultInterval = Schemas["Interval"];
export type LessonInfo = Schemas["LessonInfo"];
export type Lesson = Schemas["LessonAnswer"];
export type LessonPage = Schemas["LessonPage"];
export type SceneView = Schemas["SceneView"];
export type Question = Schemas["QuestionBlock"]["question"];
export type Term = Schemas["Term"];
