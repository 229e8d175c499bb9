/**
 * Finds single values inside a JSON text that is already known to be valid, without building the rest.
 * All functions take and return character offsets; -1 means "not there". An invalid text gives a wrong
 * answer or -1, never an exception or an endless loop.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
const LATEST = '"latest"';

/** Offset of the first character at or after `from` that is not JSON white space. */
export function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at++;
  }
}

/** Offset after the closing quote of the string that starts at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  for (;;) {
    const close = text.indexOf('"', at);
    if (close < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(close - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return close + 1;
    at = close + 1;
  }
}

/** Offset after the value that starts at `from`. */
export function endOfValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (code === OPEN_ARRAY || code === OPEN_OBJECT) depth++;
    else if (code === 0x5d || code === 0x7d) {
      if (depth <= 1) return depth === 0 ? at : at + 1;
      depth--;
    } else if (depth === 0 && (code === 0x2c || code <= 0x20)) return at;
    at++;
  }
  return at;
}

export const isArrayAt = (text: string, at: number): boolean => text.charCodeAt(at) === OPEN_ARRAY;
export const isObjectAt = (text: string, at: number): boolean => text.charCodeAt(at) === OPEN_OBJECT;

/** Start of element `index` of the array that starts at `from`. */
export function elementAt(text: string, from: number, index: number): number {
  if (!isArrayAt(text, from)) return -1;
  let at = skipSpace(text, from + 1);
  for (let left = index; left >= 0; left--) {
    if (at >= text.length || text.charCodeAt(at) === 0x5d) return -1;
    if (left === 0) return at;
    at = skipSpace(text, endOfValue(text, at));
    if (text.charCodeAt(at) !== 0x2c) return -1;
    at = skipSpace(text, at + 1);
  }
  return -1;
}

/** Start of the value of member `name` of the object that starts at `from`; the last one when it occurs twice, as decoders take it. */
export function memberAt(text: string, from: number, name: string): number {
  if (!isObjectAt(text, from)) return -1;
  let found = -1;
  let at = skipSpace(text, from + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const key = stringAt(text, at);
    at = skipSpace(text, endOfString(text, at));
    if (text.charCodeAt(at) !== 0x3a) return found;
    at = skipSpace(text, at + 1);
    if (key === name) found = at;
    at = skipSpace(text, endOfValue(text, at));
    if (text.charCodeAt(at) !== 0x2c) return found;
    at = skipSpace(text, at + 1);
  }
  return found;
}

/** The string that starts at `at`, unescaped; null when there is none. */
export function stringAt(text: string, at: number): string | null {
  if (text.charCodeAt(at) !== QUOTE) return null;
  const raw = text.slice(at + 1, endOfString(text, at) - 1);
  if (!raw.includes('\\')) return raw;
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    return null;
  }
}

/** True where there is no value, or a null. */
export const isAbsentAt = (text: string, at: number): boolean => at < 0 || text.startsWith('null', at);

/** True where the string is that most calls name their block by, written plainly: told without making a string of it. */
export const isLatestAt = (text: string, at: number): boolean => at >= 0 && text.startsWith(LATEST, at);
