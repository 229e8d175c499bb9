/** Longest message in characters that is passed on. */
const MAX_CHARS = 1024;

const URL_TEXT = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>]*/gi;
/** host.tld with a port or a path, or under a domain that hosts carry; `eth.call` and `1.5` are neither. */
const HOST = /\b(?:[a-z0-9-]{1,63}\.){1,10}(?:[a-z]{2,24}(?::\d{2,5}(?:\/[^\s"'<>]*)?|\/[^\s"'<>]*)|(?:com|net|org|io|dev|xyz|app|cloud|network|local|internal|svc)\b)/gi;
const IPV4 = /\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?:\/[^\s"'<>]*)?/g;
const IPV6 = /\[[0-9a-f:.]*:[0-9a-f:.]*(?:%[a-z0-9]+)?\](?::\d{1,5})?/gi;
const LOCALHOST = /\blocalhost:\d{1,5}(?:\/[^\s"'<>]*)?/gi;
/** A word that follows the name of a secret. */
const NAMED_SECRET = /\b(api[-_ ]?key|apikey|key|token|secret|password|bearer|authorization|project ?id|app ?id)\b(["']?\s*[:=]\s*["']?|\s+)((?!0[xX])(?=[^\s"']*\d)[^\s"',;)]{6,})/gi;
/** Long runs of letters and digits, as keys are. 0x-hex is left: hashes, addresses and data belong to the caller. */
const WORD = /(?<![A-Za-z0-9_-])(?!0[xX][0-9a-fA-F]+(?![A-Za-z0-9_-]))(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9_-]{20,}/g;

/**
 * Takes what could name or open an upstream out of an error text: URLs, hosts, addresses, keys. Only for texts of
 * nodes that are passed on; what the chain itself says is not touched. The answer is at most 1024 characters and "…".
 */
export function scrubMessage(text: string): string {
  // A word that the cut may have halved goes as a whole: half a key is still a secret.
  const short = text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS).replace(/\S+$/, '')}…` : text;
  return short
    .replace(URL_TEXT, '<url>')
    .replace(NAMED_SECRET, '$1$2<redacted>')
    .replace(HOST, '<host>')
    .replace(IPV4, '<host>')
    .replace(IPV6, '<host>')
    .replace(LOCALHOST, '<host>')
    .replace(WORD, '<redacted>');
}

/** Longest `data` in characters, and its deepest nesting, that is passed on where it is not one run of hex. */
const MAX_DATA_CHARS = 16_384;
const MAX_DATA_DEPTH = 16;
const HEX = /^0x[0-9a-fA-F]*$/;

const isHex = (value: unknown): boolean => typeof value === 'string' && HEX.test(value);

/**
 * The same for the `data` of such an error, as raw JSON: every text in it is judged by itself.
 * @returns the very text where nothing had to be taken out; null where it is absent, too long, too deep or no JSON
 */
export function scrubData(raw: string | null): string | null {
  if (raw === null || HEX.test(raw.slice(1, -1))) return raw;
  if (raw.length > MAX_DATA_CHARS) return null;
  let found = false;
  let tooDeep = false;
  const scrub = (value: unknown, depth: number): unknown => {
    tooDeep ||= depth > MAX_DATA_DEPTH;
    if (tooDeep || isHex(value)) return value;
    if (typeof value === 'string') {
      const clean = scrubMessage(value);
      found ||= clean !== value;
      return clean;
    }
    if (Array.isArray(value)) return value.map((item) => scrub(item, depth + 1));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [scrub(name, depth), scrub(item, depth + 1)]));
  };
  try {
    const clean = scrub(JSON.parse(raw), 0);
    if (tooDeep) return null;
    return found ? JSON.stringify(clean) : raw;
  } catch {
    return null;
  }
}
