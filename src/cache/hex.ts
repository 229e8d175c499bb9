/** Offset of the first character from `from` on that is no hex digit. */
export function hexEnd(text: string, from: number): number {
  let at = from;
  for (;;) {
    const c = text.charCodeAt(at);
    const isDigit = c >= 0x30 && c <= 0x39;
    const letter = c | 0x20;
    if (!isDigit && !(letter >= 0x61 && letter <= 0x66)) return at;
    at++;
  }
}

/** True when `[at, end)` is a string of `0x` and hex digits only. */
function isHexString(text: string, at: number, end: number): boolean {
  return text.charCodeAt(at + 1) === 0x30 && text.charCodeAt(at + 2) === 0x78 && hexEnd(text, at + 3) === end - 1;
}

/** An address or hash of `digits` hex digits in quotes, in lower case; whatever is not one, as it stands. */
export function foldHex(text: string, at: number, end: number, digits: number): string {
  const raw = text.slice(at, end);
  return end - at === digits + 4 && isHexString(text, at, end) ? raw.toLowerCase() : raw;
}

/** A quantity in quotes, in lower case and without leading zeros; whatever is not one, as it stands. */
export function foldQuantity(text: string, at: number, end: number): string {
  const raw = text.slice(at, end);
  if (end - at < 5 || !isHexString(text, at, end)) return raw;
  let first = 3;
  while (raw.charCodeAt(first) === 0x30 && first < raw.length - 2) first++;
  return first === 3 ? raw.toLowerCase() : `"0x${raw.slice(first).toLowerCase()}`;
}
