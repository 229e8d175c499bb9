import type { World } from './ports.ts';

/** An answer of the admin port, or the line to print instead. */
export type Asked = { readonly body: string; readonly value: unknown } | { readonly fault: string };

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no such host',
  ECONNRESET: 'the connection was cut',
};

const causeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'no answer';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const code = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : error.message;
  return CAUSES[code] ?? code;
};

/** Text of another process as it may go to a terminal. */
export function plainText(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

/** GETs JSON from the admin port of a gateway. */
export async function ask(origin: string, path: string, world: World): Promise<Asked> {
  try {
    const { status, body } = await world.fetchText(`${origin}${path}`);
    const value = parse(body);
    if (status === 200 && value !== undefined) return { body, value };
    const error = (value as { readonly error?: unknown } | null | undefined)?.error;
    return { fault: `${origin}: ${typeof error === 'string' ? plainText(error) : `not the admin port of a gateway (HTTP ${status})`}` };
  } catch (error) {
    return { fault: `${origin}: ${causeOf(error)}` };
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
