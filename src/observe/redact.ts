/** What stands where a secret was. */
export const REDACTED = '<redacted>';

const URL_IN_TEXT = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>()]+/gi;
/** Fields whose value is a secret whatever it looks like; URLs under other names are found by their form. */
const SECRET_FIELD = /^(headers|authorization|cookie|password|secret|token|api[-_]?key|.*(Password|Secret|Token|ApiKey))$/i;
const MAX_DEPTH = 4;
const MAX_ITEMS = 50;

/** Scheme, host and port of a URL; credentials, path and query, where keys live, are gone. */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return '<url>';
  const url = new URL(text);
  if (url.host === '') return `${url.protocol}//…`;
  const bare = url.pathname === '' || url.pathname === '/';
  return `${url.protocol}//${url.host}${bare && url.search === '' && url.hash === '' ? '' : '/…'}`;
}

/** The text with every URL in it redacted. */
export function redactText(text: string): string {
  return text.includes('://') ? text.replace(URL_IN_TEXT, redactUrl) : text;
}

/** A copy of the fields, safe to log: secrets out, errors as text, bounded in depth and width. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactRecord(fields, 0);
}

function redactRecord(record: object, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record).slice(0, MAX_ITEMS)) {
    copy[name] = SECRET_FIELD.test(name) ? REDACTED : redactValue(value, depth);
  }
  return copy;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return redactText(value.stack ?? `${value.name}: ${value.message}`);
  if (value instanceof URL) return redactUrl(value.href);
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redactValue(item, depth + 1));
  return redactRecord(value, depth + 1);
}
