/** Task, loss and how long: the settings that all arms share. */

import type { Catalog } from "../../api/types";
import { catalog, draft } from "../../state/draft";
import { type Field, fieldsOf, type VariantField } from "../../state/schema";
import { FieldView, VariantSelect, variantFields } from "../form/FieldView";
import { Fold } from "../form/Fold";

/** A field as this server takes it: so many steps at most, on the devices that it has. */
function asLimited(field: Field, { max_steps: most, devices }: Catalog["limits"]): Field {
  if (field.key === "steps" && field.kind === "number") {
    return { ...field, max: Math.min(field.max ?? most, most) };
  }
  if (field.key !== "device") return field;
  const chosen = draft.value?.device;
  const options = chosen === undefined ? devices : [...new Set([...devices, chosen])];
  return { ...field, kind: "choice", options };
}

/** How many of a loss's own settings stand in front. */
const LOSS_FIELDS = 3;

export function SpecPanel() {
  const known = catalog.value;
  if (known === null) return null;
  const fields = fieldsOf(known.schema, known.schema).map((field) =>
    asLimited(field, known.limits),
  );
  const task = fields.find(isVariant("task"));
  const loss = fields.find(isVariant("loss"));
  if (task === undefined || loss === undefined) return null;

  const ofTask = variantFields(task);
  const ofLoss = variantFields(loss);
  const first = ofTask.find((field) => field.kind === "number" && !field.key.startsWith("test_"));
  const taskFront = first === undefined ? [] : [first];
  const taskRest = ofTask.filter((field) => field !== first);
  const rest = fields.filter((field) => field !== task && field !== loss);
  return (
    <section class="panel" aria-labelledby="spec-title">
      <h2 id="spec-title">Task and loss</h2>
      <VariantSelect field={task} />
      <Fields fields={taskFront} />
      <VariantSelect field={loss} />
      <Fields fields={ofLoss.slice(0, LOSS_FIELDS)} />
      <Fold label="More" holds={paths([...taskRest, ...ofLoss.slice(LOSS_FIELDS), ...rest])}>
        <Fields fields={ofLoss.slice(LOSS_FIELDS)} />
        <Group title="Training" fields={rest.filter(isAbout(TRAINING))} />
        <Group title="Data and network" fields={taskRest} />
        <Group title="Stopping and recording" fields={rest.filter((f) => !isAbout(TRAINING)(f))} />
      </Fold>
    </section>
  );
}

const TRAINING = ["steps", "batch_size", "seed", "device"];

function isAbout(keys: readonly string[]) {
  return (field: Field) => keys.includes(field.key);
}

function isVariant(key: string) {
  return (field: Field): field is VariantField => field.key === key && field.kind === "variant";
}

function paths(fields: readonly Field[]) {
  return fields.map((field) => field.path);
}

function Fields({ fields }: { fields: readonly Field[] }) {
  return (
    <>
      {fields.map((field) => (
        <FieldView key={field.path.join(".")} field={field} />
      ))}
    </>
  );
}

function Group({ title, fields }: { title: string; fields: readonly Field[] }) {
  if (fields.length === 0) return null;
  return (
    <fieldset class="group">
      <legend>{title}</legend>
      <Fields fields={fields} />
    </fieldset>
  );
}
