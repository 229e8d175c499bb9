/** What redacted text shows in place of a secret. */
export const REDACTED = '***';

const read = (text: string): URL | null => {
  try {
    return new URL(text);
  } catch {
    return null;
  }
};

/**
 * Checks the URL of a node.
 * @param schemes allowed schemes without colon
 * @returns what is wrong, never with the URL in it, or null
 */
export function urlFault(text: string, schemes: readonly string[]): string | null {
  const url = read(text);
  if (url === null) return 'is not a URL';
  if (!schemes.includes(url.protocol.slice(0, -1))) return `must be a ${schemes.join(' or ')} URL`;
  if (url.hostname === '') return 'names no host';
  if (url.hash !== '') return 'must not have a fragment (#…)';
  return null;
}

/** The same URL for two spellings of it; the text itself when it is no URL. */
export function canonicalUrl(text: string): string {
  return read(text)?.href ?? text;
}

/** Scheme, host and port stay; credentials, path and query, where keys live, are masked. */
export function redactUrl(text: string): string {
  const url = read(text);
  if (url === null) return REDACTED;
  const credentials = url.username === '' && url.password === '' ? '' : `${REDACTED}@`;
  const path = url.pathname === '/' ? '' : `/${REDACTED}`;
  const query = url.search === '' ? '' : `?${REDACTED}`;
  return `${url.protocol}//${credentials}${url.host}${path}${query}`;
}
