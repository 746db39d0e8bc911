/** Numbers as text, grouped as the page's language has it, in few digits. */

const formats = new Map<string, Intl.NumberFormat>();

function formatter(key: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat("en", options);
    formats.set(key, format);
  }
  return format;
}

/** `value` with a fixed number of decimals. */
export function fixed(value: number, decimals: number): string {
  const text = formatter(`f${decimals}`, {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  }).format(value);
  return text.replace(/^-/, "−");
}

/**
 * `value` with `digits` significant ones, powers of ten where plain digits would be long; `padded`
 * keeps zeros at the end, so that numbers in a column have equally many digits.
 */
export function significant(value: number, digits: number, padded = false): string {
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) {
    const exponent = Math.floor(Math.log10(size) + 1e-9);
    const mantissa = Number((rounded / 10 ** exponent).toPrecision(digits));
    if (Math.abs(mantissa) === 1 && !padded) return `${mantissa < 0 ? "−" : ""}${power(exponent)}`;
    return `${significant(mantissa, digits, padded)}×${power(exponent)}`;
  }
  const text = formatter(`${padded ? "r" : "g"}${digits}`, {
    maximumSignificantDigits: digits,
    minimumSignificantDigits: padded ? digits : 1,
  }).format(value);
  return text.replace(/^-/, "−");
}

/** 10 to an integer power, as text: 10⁴. */
export function power(exponent: number): string {
  const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const raised = [...String(Math.abs(exponent))].map((digit) => digits[Number(digit)]).join("");
  return `10${exponent < 0 ? "⁻" : ""}${raised}`;
}

export function integer(value: number): string {
  return fixed(Math.round(value), 0);
}

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
