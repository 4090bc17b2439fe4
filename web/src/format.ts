const DASH = "–";
const formats = new Map<number, Intl.NumberFormat>();

function format(decimals: number): Intl.NumberFormat {
  let made = formats.get(decimals);
  if (!made) {
    made = new Intl.NumberFormat("en-IN", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(decimals, made);
  }
  return made;
}

type Known = number | null | undefined;

/** A number in Indian grouping; a dash where it is not known. */
export function number(value: Known, decimals = 2): string {
  return value === null || value === undefined ? DASH : format(decimals).format(value).replace("-", "−");
}

export function signed(value: Known, decimals = 2): string {
  return value !== null && value !== undefined && value > 0 ? `+${number(value, decimals)}` : number(value, decimals);
}

export function percent(value: Known, decimals = 2): string {
  return value === null || value === undefined ? DASH : `${number(value, decimals)} %`;
}

/** Lakh and crore. */
export function compact(value: Known): string {
  if (value === null || value === undefined) return DASH;
  const size = Math.abs(value);
  if (size >= 1e7) return `${number(value / 1e7)} Cr`;
  if (size >= 1e5) return `${number(value / 1e5)} L`;
  return number(value, 0);
}

/** The same for an axis, without figures after the point that say nothing. */
export function scale(value: number): string {
  const size = Math.abs(value);
  const [unit, name] = size >= 1e7 ? [1e7, " Cr"] : size >= 1e5 ? [1e5, " L"] : [1, ""];
  return `${(value / unit).toLocaleString("en-IN", { maximumFractionDigits: 2 }).replace("-", "−")}${name}`;
}

export const signedCompact = (value: Known) => (value && value > 0 ? `+${compact(value)}` : compact(value));

const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Kolkata", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minutes = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Kolkata", hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Kolkata", day: "numeric", month: "short" });

export const time = (instant: string | null | undefined) => (instant ? clock.format(new Date(instant)) : DASH);
export const minute = (instant: string) => minutes.format(new Date(instant));
export const dayAndTime = (instant: string) => `${dayFormat.format(new Date(instant))} ${minutes.format(new Date(instant))}`;

/** `2026-12-01` as `1 Dec 26`. */
export function day(date: string): string {
  const [year, month, number_] = date.split("-").map(Number) as [number, number, number];
  return new Date(Date.UTC(year, month - 1, number_)).toLocaleDateString("en-GB", { timeZone: "UTC", day: "numeric", month: "short", year: "2-digit" });
}

export const tone = (value: Known) => (!value ? "" : value > 0 ? "up" : "down");
