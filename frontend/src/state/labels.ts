/** Names that the spec writes as identifiers, as people write them: the server's. */

import { humanise } from "./schema";
import { vocabulary } from "./vocabulary";

export function optionLabel(field: string, option: string): string {
  if (field === "device") return option.toUpperCase().replace(":", " ");
  return vocabulary.value.labels[field]?.[option] ?? humanise(option);
}
