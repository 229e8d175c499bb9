/** Milliseconds per unit, largest first. */
const DURATION_UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;
/** Bytes per unit, largest first. */
const SIZE_UNITS = [
  ['GiB', 1_073_741_824],
  ['MiB', 1_048_576],
  ['KiB', 1024],
  ['B', 1],
] as const;

type Units = readonly (readonly [unit: string, factor: number])[];

/** A duration as text: a number with `ms`, `s`, `m` or `h`; without a unit it is in the unit of its key. */
export const DURATION_PATTERN = /^\d+(\.\d+)?(ms|s|m|h)?$/;
/** A size as text: a number with `B`, `KiB`, `MiB` or `GiB`; without a unit it is in bytes. */
export const SIZE_PATTERN = /^\d+(\.\d+)?(B|KiB|MiB|GiB)?$/;

const parse = (text: string, units: Units, bareFactor: number): number => {
  const number = Number.parseFloat(text);
  const unit = text.replace(/^[\d.]+/, '');
  return number * (units.find(([name]) => name === unit)?.[1] ?? bareFactor);
};

const format = (value: number, units: Units): string => {
  const [unit, factor] = units.find(([, size]) => value >= size && value % size === 0) ?? ['', 1];
  return value === 0 ? '0' : `${value / factor}${unit}`;
};

/**
 * @param text matches DURATION_PATTERN
 * @param bareMs ms that a number without a unit stands for: 1 under a key in ms, 1000 under a key in s
 * @returns milliseconds
 */
export function parseDurationMs(text: string, bareMs: number): number {
  return parse(text, DURATION_UNITS, bareMs);
}

/**
 * @param text matches SIZE_PATTERN
 * @returns bytes
 */
export function parseSizeBytes(text: string): number {
  return parse(text, SIZE_UNITS, 1);
}

/** Shortest exact text: 90_000 is `90s`, 120_000 is `2m`. */
export function formatDurationMs(ms: number): string {
  return format(ms, DURATION_UNITS);
}

/** Shortest exact text: 5_242_880 is `5MiB`. */
export function formatSizeBytes(bytes: number): string {
  return format(bytes, SIZE_UNITS);
}
