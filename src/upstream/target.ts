/** Where calls to a node go, taken apart once. Everything here but `origin`'s scheme can hold a secret: never log it. */
export interface UpstreamTarget {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path and query, as sent. */
  readonly path: string;
  /** Name, value, name, value …: ready for every request. */
  readonly headers: readonly string[];
}

/** Headers that the HTTP client itself writes, and the encoding that it can read; config cannot set them. */
const RESERVED = new Set(['accept-encoding', 'connection', 'content-length', 'expect', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Takes an upstream's URL and headers apart. Credentials in the URL become an `authorization` header, which one in
 * `headers` replaces.
 * @throws Error naming the fault, never the URL or a value
 */
export function parseTarget(url: string, headers: Readonly<Record<string, string>>): UpstreamTarget {
  if (!URL.canParse(url)) throw new Error('upstream url: not a URL');
  const parsed = new URL(url);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') throw new Error('upstream url: the scheme must be http or https');
  const merged = new Map<string, string>([
    ['content-type', 'application/json'],
    ['accept-encoding', 'identity'],
    ['user-agent', 'tidegate'],
  ]);
  const login = basicAuth(parsed);
  if (login !== '') merged.set('authorization', login);
  for (const [name, value] of checkHeaders(headers)) merged.set(name, value);
  return { origin: parsed.origin, path: parsed.pathname + parsed.search, headers: [...merged].flat() };
}

/**
 * Lower-cases and checks configured headers.
 * @throws Error naming the header, never its value
 */
export function checkHeaders(headers: Readonly<Record<string, string>>): [name: string, value: string][] {
  return Object.entries(headers).map(([name, value]) => {
    const lower = name.toLowerCase();
    if (!NAME.test(lower)) throw new Error('upstream headers: a name has characters that HTTP forbids');
    if (RESERVED.has(lower)) throw new Error(`upstream headers: ${lower} cannot be set`);
    if (!VALUE.test(value)) throw new Error(`upstream headers: the value of ${lower} has characters that HTTP forbids`);
    return [lower, value];
  });
}

/** Value of an `authorization` header for the credentials in a URL, or ''. */
export function basicAuth(url: URL): string {
  if (url.username === '' && url.password === '') return '';
  const pair = `${decodePart(url.username)}:${decodePart(url.password)}`;
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
