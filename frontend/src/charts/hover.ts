/** One value by the format of a hover template (`%{y:.1f} %`), as the templates have it. */

import { fixed, significant } from "../format";

/** The parts of a hover template with one value in it: how to write it, and what follows. */
export interface HoverFormat {
  spec: string;
  suffix: string;
}

/** Reads `%{y:.1f} %`, as templates have it. */
export function parseHover(template: string): HoverFormat {
  const match = /^%\{[yz]:([^}]*)\}(.*)$/.exec(template);
  if (match === null) throw new Error(`no hover template with one value: ${template}`);
  return { spec: match[1] as string, suffix: match[2] as string };
}

/** One value by the format's own rule (`.1f`, `.3r`, `.0%`), without its suffix. */
export function formatValue(value: number, spec: string): string {
  if (Number.isNaN(value)) return "no value";
  const match = /^\.(\d+)([fr%])$/.exec(spec);
  if (match === null) throw new Error(`unknown number format: ${spec}`);
  const digits = Number(match[1]);
  if (match[2] === "f") return fixed(value, digits);
  if (match[2] === "%") return `${fixed(100 * value, digits)} %`;
  return value === 0 ? "0" : significant(value, digits, true);
}
