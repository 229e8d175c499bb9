import { elementAt, endOfValue, isArrayAt, isObjectAt, skipSpace, stringAt } from './jsonWalk.ts';

const COLON = 0x3a;
const COMMA = 0x2c;
const QUOTE = 0x22;

/**
 * Whether an object among the params has a member twice, or twice but for letter case. Decoders disagree about which of
 * the two counts, so a rule that looked at one could be passed with the other. Only the params' own members are looked
 * at, not what is nested in them.
 * @param paramsRaw valid JSON, one char per byte; '' when absent
 */
export function hasTwinKeys(paramsRaw: string): boolean {
  const start = skipSpace(paramsRaw, 0);
  if (!isArrayAt(paramsRaw, start)) return isTwinned(paramsRaw, start);
  let at = elementAt(paramsRaw, start, 0);
  while (at >= 0) {
    if (isTwinned(paramsRaw, at)) return true;
    at = skipSpace(paramsRaw, endOfValue(paramsRaw, at));
    if (paramsRaw.charCodeAt(at) !== COMMA) return false;
    at = skipSpace(paramsRaw, at + 1);
  }
  return false;
}

function isTwinned(text: string, from: number): boolean {
  if (!isObjectAt(text, from)) return false;
  const seen = new Set<string>();
  let at = skipSpace(text, from + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const key = foldedKey(stringAt(text, at) ?? '');
    if (seen.has(key)) return true;
    seen.add(key);
    at = skipSpace(text, endOfValue(text, at));
    if (text.charCodeAt(at) !== COLON) return false;
    at = skipSpace(text, endOfValue(text, skipSpace(text, at + 1)));
    if (text.charCodeAt(at) !== COMMA) return false;
    at = skipSpace(text, at + 1);
  }
  return false;
}

/** The long s and the Kelvin sign fold to ASCII letters in some decoders; they come as escapes or as bytes of UTF-8. */
function foldedKey(key: string): string {
  const plain = key.replace(/\u017f|\u00c5\u00bf/g, 's').replace(/\u212a|\u00e2\u0084\u00aa/g, 'k');
  return plain.toLowerCase();
}
