import { stringify } from 'yaml';
import type { Config } from './schema.ts';
import { formatDurationMs, formatSizeBytes } from './units.ts';
import { REDACTED, redactUrl } from './url.ts';

const show = (key: string, value: unknown): unknown => {
  if (typeof value === 'number' && key.endsWith('Ms')) return unquoted(formatDurationMs(value));
  if (typeof value === 'number' && key.endsWith('Bytes')) return unquoted(formatSizeBytes(value));
  if (typeof value === 'string' && (key === 'http' || key === 'ws')) return redactUrl(value);
  if (key === 'passphrase' && value !== '') return REDACTED;
  if (key === 'headers') return Object.fromEntries(Object.keys(value as object).map((name) => [name, REDACTED]));
  if (Array.isArray(value)) return value.map((item) => show('', item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, show(name, item)]));
};

/** `0` and other bare numbers stay numbers. */
const unquoted = (text: string): string | number => (/^\d+$/.test(text) ? Number(text) : text);

/** The configuration as YAML, defaults filled in, units readable; header values and keys in URLs are masked. */
export function effectiveText(config: Config): string {
  return stringify(show('', config), { lineWidth: 120, flowCollectionPadding: true });
}
