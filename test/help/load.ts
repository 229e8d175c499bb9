import { Pool } from 'undici';

/** Method and params of a call. */
export type Call = readonly [method: string, params: readonly unknown[]];

/** What came of the calls so far. */
export interface LoadReport {
  readonly calls: number;
  /** Calls that did not get a result, by what they got instead. */
  readonly errors: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  /** Answers by the node that gave them. */
  readonly byUpstream: Readonly<Record<string, number>>;
}

/** Calls that come at an even pace, whatever becomes of them. */
export interface Load {
  /** Resolves when `count` more calls than now have been answered. */
  answered(count: number): Promise<void>;
  /** Sends no more, waits for all answers. Idempotent. */
  stop(): Promise<LoadReport>;
}

const hex = (value: number): string => `0x${value.toString(16)}`;
// Not below 0x100: those are precompiles, and may refuse empty input.
const address = (i: number): string => `0x${(0x1000 + i).toString(16).padStart(40, '0')}`;

const READS: readonly ((i: number) => Call)[] = [
  (i) => ['eth_getBlockByNumber', [hex(i % 3), false]],
  (i) => ['eth_getBalance', [address(i % 977), 'latest']],
  (i) => ['eth_call', [{ to: address(i % 499), data: '0x' }, 'latest']],
  () => ['eth_gasPrice', []],
  () => ['eth_chainId', []],
];

/** The `i`th of an endless mix of idempotent reads whose keys spread over all nodes. */
export function read(i: number): Call {
  return (READS[i % READS.length] as (i: number) => Call)(i);
}

const TICK_MS = 4;

/** Sends `perS` calls a second to `url` until stopped. */
export function startLoad(url: string, perS: number, call: (i: number) => Call = read): Load {
  const pool = new Pool(new URL(url).origin, { connections: 64, headersTimeout: 60_000, bodyTimeout: 60_000 });
  const errors: Record<string, number> = {};
  const byUpstream: Record<string, number> = {};
  const open = new Set<Promise<void>>();
  const waiters = new Set<() => void>();
  let sent = 0;
  let answered = 0;
  let slowestMs = 0;

  const one = async (id: number): Promise<void> => {
    const [method, params] = call(id);
    const startedMs = performance.now();
    let error: string | null = null;
    try {
      const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
      const answer = await pool.request({ path: '/', method: 'POST', headers: { 'content-type': 'application/json' }, body });
      const { result, error: refusal, id: echoed } = (await answer.body.json()) as { result?: unknown; error?: unknown; id: unknown };
      const upstream = answer.headers['x-tidegate-upstream'];
      // the gateway gives some answers itself
      if (typeof upstream === 'string') byUpstream[upstream] = (byUpstream[upstream] ?? 0) + 1;
      if (result === undefined || echoed !== id) error = `${method} ${answer.statusCode} ${JSON.stringify(refusal)}`;
    } catch (thrown) {
      error = `${method} ${String(thrown)}`;
    }
    if (error !== null) errors[error] = (errors[error] ?? 0) + 1;
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    answered++;
    for (const waiter of waiters) waiter();
  };

  const beganMs = performance.now();
  const ticker = setInterval(() => {
    const due = ((performance.now() - beganMs) / 1000) * perS;
    while (sent < due) {
      const running: Promise<void> = one(sent++).finally(() => open.delete(running));
      open.add(running);
    }
  }, TICK_MS);

  return {
    answered: (count) => {
      const goal = answered + count;
      return new Promise((resolve) => {
        const look = (): void => {
          if (answered < goal) return;
          waiters.delete(look);
          resolve();
        };
        waiters.add(look);
      });
    },
    stop: async () => {
      clearInterval(ticker);
      await Promise.all(open);
      if (!pool.closed) await pool.close();
      return { calls: answered, errors, slowestMs, byUpstream };
    },
  };
}
