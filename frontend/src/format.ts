/** Numbers as people write them: grouped, few digits, no false precision. All of the page's are. */

const formats = new Map<string, Intl.NumberFormat>();

function formatter(key: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat("en", options);
    formats.set(key, format);
  }
  return format;
}

const group = formatter("count", { maximumFractionDigits: 0 });

/** Sizes from which on, and below which, a number is written with a power of ten. */
const LARGE = 1e7;
const SMALL = 1e-3;

/** A step or count: 12,000. */
export function formatCount(value: number): string {
  return group.format(value);
}

const GROUPED = /^[+-]?[1-9]\d{0,2}(,\d{3})+$/;

/**
 * The number that someone typed: 0.5, 0,5, 1e-4, −2; null where it is none. 12,000 is none either: it
 * is twelve in some countries, twelve thousand in others.
 */
export function numberIn(text: string): number | null {
  const typed = text.trim().replaceAll("−", "-");
  const value = Number(typed.replace(",", "."));
  return typed === "" || GROUPED.test(typed) || !Number.isFinite(value) ? null : value;
}

/** A setting's value, short and exact enough to type again: 0.1, 1e-4, 30, 250000. */
export function formatSetting(value: number, digits = 10): string {
  if (!Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (value === 0 || (size >= SMALL && size < LARGE)) return rounded(value, digits);
  const [mantissa, exponent] = value.toExponential().split("e");
  return `${rounded(Number(mantissa), Math.min(6, digits))}e${Number(exponent)}`;
}

/** A measured number to about `digits` significant digits: 0.0312, 25,000, 3.1e-7. */
export function formatMeasured(value: number, digits = 3, large = LARGE): string {
  if (Number.isNaN(value)) return "not finite";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "minus infinity";
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= large || size < SMALL) {
    const [mantissa, exponent] = value.toExponential(Math.max(0, digits - 2)).split("e");
    return `${mantissa}e${Number(exponent)}`.replace(/^-/, "−");
  }
  if (size >= 100) return group.format(Number(value.toPrecision(digits))).replace(/^-/, "−");
  return rounded(value, digits).replace(/^-/, "−");
}

/** A height of a picture, in little room: 0.123, 1,230, 1.2e6; null: it has none there. */
export function formatHeight(value: number | null): string {
  return value === null || !Number.isFinite(value) ? "not finite" : formatMeasured(value, 3, 1e5);
}

/** A share in [0, 1] as a percentage with one decimal: "29.1 %". */
export function formatShare(share: number): string {
  return `${fixed(share * 100, 1)} %`;
}

/** A duration in words: "14 s", "2 min 5 s", "3 h 20 min". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) {
    const rest = whole % 60;
    return `${Math.floor(whole / 60)} min${rest > 0 ? ` ${rest} s` : ""}`;
  }
  const minutes = Math.round((whole % 3600) / 60);
  return `${Math.floor(whole / 3600)} h${minutes > 0 ? ` ${minutes} min` : ""}`;
}

function rounded(value: number, digits: number): string {
  return `${Number(value.toPrecision(digits))}`;
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
