import type { Outcome } from '../../src/chain/outcome.ts';
import { HttpUpstream } from '../../src/upstream/http.ts';
import type { HttpUpstreamOptions } from '../../src/upstream/http.ts';
import type { Exchange, UpstreamClient } from '../../src/upstream/port.ts';
import type { World } from '../../src/upstream/world.ts';
import { realWorld } from './time.ts';

export type Ending =
  | { readonly kind: 'reply'; readonly status: number; readonly body: Buffer; readonly retryAfterMs: number }
  | { readonly kind: 'failure'; readonly outcome: Outcome; readonly detail: string };

/** One call with everything that its sink was told. */
export interface Call {
  readonly exchange: Exchange;
  readonly endings: Ending[];
  readonly done: Promise<Ending>;
  /** The sink was told before `send` returned. */
  readonly early: boolean;
}

export const QUESTION = '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}';
export const REPLY = '{"jsonrpc":"2.0","id":1,"result":"0x1"}';

export function httpUpstream(url: string, options: Partial<HttpUpstreamOptions> = {}, world: World = realWorld): HttpUpstream {
  return new HttpUpstream({
    name: 'a', url, headers: {}, connections: 4, maxWaiting: 100, connectTimeoutMs: 2_000,
    maxResponseBytes: 1 << 20, keepAliveTimeoutMs: 60_000, ...options,
  }, world);
}

export function call(client: UpstreamClient, body = QUESTION, timeoutMs = 10_000): Call {
  const endings: Ending[] = [];
  let finish: (ending: Ending) => void = () => {};
  const done = new Promise<Ending>((resolve) => {
    finish = resolve;
  });
  const end = (ending: Ending): void => {
    endings.push(ending);
    finish(ending);
  };
  const exchange = client.send(body, timeoutMs, {
    onReply: (status, bytes, retryAfterMs) => end({ kind: 'reply', status, body: bytes, retryAfterMs }),
    onFailure: (outcome, detail) => end({ kind: 'failure', outcome, detail }),
  });
  return { exchange, endings, done, early: endings.length > 0 };
}

/** The failure a call ended in, flattened for comparison. */
export async function failure(started: Call): Promise<{ class: string; unsent: boolean; blame: boolean; holdMs: number; detail: string }> {
  const ending = await started.done;
  if (ending.kind !== 'failure') throw new Error(`expected a failure, got ${ending.status} ${ending.body.toString()}`);
  const { class: kind, unsent, blame, holdMs } = ending.outcome;
  return { class: kind, unsent, blame, holdMs, detail: ending.detail };
}

/** The reply a call ended in. */
export async function reply(started: Call): Promise<{ status: number; text: string; retryAfterMs: number }> {
  const ending = await started.done;
  if (ending.kind !== 'reply') throw new Error(`expected a reply, got ${ending.outcome.class}: ${ending.detail}`);
  return { status: ending.status, text: ending.body.toString(), retryAfterMs: ending.retryAfterMs };
}
