/** Numbers as people write them: grouped, few digits, no false precision. */

const group = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A step or count: 12,000. */
export function formatCount(value: number): string {
  return group.format(value);
}

/** A setting's value, short and exact enough to type again: 0.1, 1e-4, 30, 250000. */
export function formatSetting(value: number): string {
  if (!Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e7)) return trimZeros(value.toPrecision(10));
  const [mantissa, exponent] = value.toExponential().split("e");
  return `${trimZeros(Number(mantissa).toPrecision(6))}e${Number(exponent)}`;
}

/** A measured number to about `digits` significant digits: 0.0312, 25,000, 3.1e-7. */
export function formatMeasured(value: number, digits = 3): string {
  if (Number.isNaN(value)) return "not finite";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "minus infinity";
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e7 || size < 1e-3) {
    const [mantissa, exponent] = value.toExponential(Math.max(0, digits - 2)).split("e");
    return `${mantissa}e${Number(exponent)}`;
  }
  if (size >= 100) return group.format(Number(value.toPrecision(digits)));
  return trimZeros(value.toPrecision(digits));
}

/** A share in [0, 1] as a percentage with one decimal: "29.1 %". */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
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

function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
