import type { Changing } from './given.ts';
import type { SentText, World } from './ports.ts';

/** An answer of the admin port, or the line to print instead. */
export type Asked = { readonly body: string; readonly value: unknown } | { readonly fault: string; readonly value?: unknown };

/** A reload waits until new nodes were probed. */
const CHANGE_TIMEOUT_MS = 60_000;

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no such host',
  ECONNRESET: 'the connection was cut',
};

const causeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'no answer';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const { cause } = error;
  const code = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : error.message;
  return CAUSES[code] ?? code;
};

/** Text of another process as it may go to a terminal. */
export function plainText(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

/** Asks the admin port of a gateway for JSON: a GET, unless `sent` says otherwise. */
export async function ask(origin: string, path: string, world: World, sent?: SentText): Promise<Asked> {
  try {
    const { status, body } = await world.fetchText(`${origin}${path}`, sent);
    const value = parse(body);
    if (status >= 200 && status < 300 && value !== undefined) return { body, value };
    const error = (value as { readonly error?: unknown } | null | undefined)?.error;
    return { fault: `${origin}: ${typeof error === 'string' ? plainText(error) : `not the admin port of a gateway (HTTP ${status})`}`, value };
  } catch (error) {
    return { fault: `${origin}: ${causeOf(error)}` };
  }
}

/** Changes something through the admin port, with the token of `--token-file`. */
export async function change(command: Changing, request: { readonly method: 'POST' | 'DELETE'; readonly path: string; readonly body: object }, world: World): Promise<Asked> {
  let token: string;
  try {
    token = (await world.readFile(command.tokenFile)).trim();
  } catch (error) {
    return { fault: `${command.tokenFile}: the token cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'}); name its file with --token-file` };
  }
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return ask(command.admin, request.path, world, { method: request.method, headers, body: JSON.stringify(request.body), timeoutMs: CHANGE_TIMEOUT_MS });
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
