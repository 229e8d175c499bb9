import type { TestGateway } from './gateway.ts';

/** One answer and what the cache had to do with it. */
export interface Told {
  readonly cache: string;
  readonly upstream: string;
  readonly status: number;
  readonly body: { readonly id?: unknown; readonly result?: unknown; readonly error?: { readonly code: number; readonly message: string } };
}

/** Sends one call, with a body of its own where `raw` is given. */
export async function tell(url: string, method: string, params: readonly unknown[] | string = [], headers: Record<string, string> = {}): Promise<Told> {
  const paramsText = typeof params === 'string' ? params : JSON.stringify(params);
  const body = `{"jsonrpc":"2.0","id":7,"method":"${method}","params":${paramsText}}`;
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  return {
    cache: answer.headers.get('x-tidegate-cache') ?? '',
    upstream: answer.headers.get('x-tidegate-upstream') ?? '',
    status: answer.status,
    body: (await answer.json()) as Told['body'],
  };
}

/** Repeats a call until the cache answers it; gives that answer. @throws Error after so many tries */
export async function untilHit(url: string, method: string, params: readonly unknown[] | string = [], tries = 400): Promise<Told> {
  for (let i = 0; i < tries; i++) {
    const told = await tell(url, method, params);
    if (told.cache === 'hit') return told;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`${method} was never answered from the cache`);
}

/** The sum of a metric over all series whose labels contain `part`. */
export async function metric({ adminUrl }: TestGateway, name: string, part = ''): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`tidegate_${name}{`) && line.includes(part));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
