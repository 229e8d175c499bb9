/** Whole numbers that every JSON reader keeps exact. */
const isExact = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0);

/** UTF-16 without a half of a surrogate pair, which has no UTF-8 form. */
const isWellFormed = (text: string): boolean => !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);

/**
 * The one JSON text of a value, so that its hash and signature do not depend on who wrote it: no spaces, members sorted by
 * UTF-16 code units (RFC 8785), numbers whole and exact only.
 * @throws TypeError for what has no such text: fractions, huge numbers, undefined, functions, lone surrogates
 */
export function canonicalText(value: unknown): string {
  if (value === null || typeof value === 'boolean' || isExact(value)) return String(value);
  if (typeof value === 'string' && isWellFormed(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, item]) => `${canonicalText(key)}:${canonicalText(item)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(`no canonical text for ${typeof value === 'number' ? String(value) : typeof value}`);
}
