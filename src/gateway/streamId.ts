import type { Random } from '../base/random.ts';

/** The id of a subscription or filter that a call names first; null where it names none. @param paramsRaw valid JSON, or '' */
export function idOf(paramsRaw: string): string | null {
  const params: unknown = paramsRaw === '' ? null : JSON.parse(paramsRaw);
  const id: unknown = Array.isArray(params) ? params[0] : null;
  return typeof id === 'string' ? id.toLowerCase() : null;
}

/** A new one: 128 bits, so that nobody guesses another client's. */
export function newId(random: Random): string {
  let id = '0x';
  for (let i = 0; i < 4; i++) id += Math.floor(random() * 4294967296).toString(16).padStart(8, '0');
  return id;
}
