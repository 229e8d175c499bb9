import * as z from 'zod';
import {
  DURATION_PATTERN,
  formatDurationMs,
  formatSizeBytes,
  parseDurationMs,
  parseSizeBytes,
  SIZE_PATTERN,
} from './units.ts';

/** Lowest and highest allowed value, both included. */
export type Bounds = readonly [min: number, max: number];

/** A number within bounds, or a text with a unit. */
const measure = (number: z.ZodNumber, pattern: RegExp, [min, max]: Bounds, error: string) =>
  z.union([number.min(min, { error }).max(max, { error }), z.string().regex(pattern, { error })], { error });

const within = (value: number, [min, max]: Bounds): boolean => value >= min && value <= max;

/** A duration in ms, written as a number of ms or with a unit. The key ends in `Ms`. */
export function durationMs(defaultMs: number, bounds: Bounds, text: string) {
  const error = `must be a duration from ${formatDurationMs(bounds[0])} to ${formatDurationMs(bounds[1])}, such as 500ms, 10s or 5m`;
  return measure(z.number({ error }), DURATION_PATTERN, bounds, error)
    .transform((value) => (typeof value === 'number' ? value : parseDurationMs(value, 1)))
    .pipe(z.number().refine((ms) => within(ms, bounds), { error }))
    .default(defaultMs)
    .describe(text);
}

/** A duration in whole seconds, written as a number of seconds or with a unit. The key ends in `S`. */
export function durationS(defaultS: number, bounds: Bounds, text: string) {
  const error = `must be a duration from ${formatDurationMs(bounds[0] * 1000)} to ${formatDurationMs(bounds[1] * 1000)} in whole seconds, such as 10s or 5m`;
  return measure(z.int({ error }), DURATION_PATTERN, bounds, error)
    .transform((value) => (typeof value === 'number' ? value : parseDurationMs(value, 1000) / 1000))
    .pipe(z.number().refine((s) => Number.isInteger(s) && within(s, bounds), { error }))
    .default(defaultS)
    .describe(text);
}

/** A size in bytes, written as a number of bytes or with a unit. The key ends in `Bytes`. */
export function sizeBytes(defaultBytes: number, bounds: Bounds, text: string) {
  const error = `must be a size from ${formatSizeBytes(bounds[0])} to ${formatSizeBytes(bounds[1])}, such as 64KiB or 5MiB`;
  return measure(z.int({ error }), SIZE_PATTERN, bounds, error)
    .transform((value) => (typeof value === 'number' ? value : parseSizeBytes(value)))
    .pipe(z.number().refine((bytes) => Number.isInteger(bytes) && within(bytes, bounds), { error }))
    .default(defaultBytes)
    .describe(text);
}

/** A whole number. */
export function count(defaultCount: number, [min, max]: Bounds, text: string) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error }).default(defaultCount).describe(text);
}

/** A number, bounds included. */
export function ratio(defaultRatio: number, [min, max]: Bounds, text: string) {
  const error = `must be a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error }).default(defaultRatio).describe(text);
}

/** A quantile, strictly between 0 and 1. */
export function quantile(defaultQuantile: number, text: string) {
  const error = 'must be a number between 0 and 1, both excluded';
  return z.number({ error }).gt(0, { error }).lt(1, { error }).default(defaultQuantile).describe(text);
}

/** true or false. */
export function flag(defaultFlag: boolean, text: string) {
  return z.boolean({ error: 'must be true or false' }).default(defaultFlag).describe(text);
}

/** One of a closed set of words. */
export function choice<const Words extends readonly [string, ...string[]]>(
  words: Words,
  defaultWord: Words[number],
  text: string,
) {
  return z
    .enum(words, { error: `must be one of ${words.join(', ')}` })
    .default(defaultWord)
    .describe(text);
}

/** A list, its length limited. */
export function listOf<Item extends z.ZodType>(
  item: Item,
  defaultItems: readonly z.output<Item>[],
  maxItems: number,
  text: string,
) {
  const error = `must be a list of at most ${maxItems} items`;
  return z
    .array(item, { error })
    .max(maxItems, { error })
    .default(() => [...defaultItems] as never)
    .describe(text);
}

/** A mapping with exactly these keys; absent means all defaults. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape, text: string) {
  return z
    .strictObject(shape, { error: 'must be a mapping' })
    .prefault({} as never)
    .describe(text);
}
