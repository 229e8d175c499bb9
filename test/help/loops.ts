import { Client } from 'undici';

/** What came of the calls. */
export interface LoopReport {
  readonly calls: number;
  /** Calls that did not get a result, by what they got instead. */
  readonly errors: Readonly<Record<string, number>>;
  /** Attempts whose connection broke, or could not be made, and that were made again. */
  readonly again: number;
  readonly slowestMs: number;
  /** Whatever `check` found wrong. */
  readonly findings: readonly string[];
}

/** Clients that each have one connection and wait for each answer; one that loses its connection asks again. */
export interface Loops {
  /** Resolves when `count` more calls than now have been answered. */
  answered(count: number): Promise<void>;
  stop(): Promise<LoopReport>;
}

export interface LoopOptions {
  readonly clients: number;
  /** How often a call is sent again. */
  readonly retries: number;
  /** Method of the calls; the params are an address and `latest`. */
  readonly method?: string;
  /** Looks at the answers of all clients in the order in which they come; what it returns is kept, '' = nothing. */
  readonly check?: (header: (name: string) => string, askedAfter: number) => string;
}

const AGAIN_MS = 25;

/** Calls in a closed loop until stopped. */
export function startLoops(url: string, { clients, retries, method = 'eth_getBalance', check }: LoopOptions): Loops {
  const errors: Record<string, number> = {};
  const findings: string[] = [];
  let [calls, again, slowestMs, over] = [0, 0, 0, false];
  const waiters = new Set<() => void>();

  const post = async (client: Client, body: string) => {
    for (let left = retries; ; left--) {
      try {
        const answer = await client.request({ path: '/', method: 'POST', headers: { 'content-type': 'application/json' }, body });
        return { answer, text: await answer.body.text() };
      } catch (error) {
        if (left === 0) throw error;
        again++;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  };
  const loop = async (number: number): Promise<void> => {
    const client = new Client(new URL(url).origin);
    for (let i = 0; !over; i++) {
      const startedMs = performance.now();
      const askedAfter = calls;
      const params = [`0x${(number * 1_000_000 + i).toString(16).padStart(40, '0')}`, 'latest'];
      try {
        const { answer, text } = await post(client, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
        if (answer.statusCode !== 200 || !text.includes('"result"')) errors[`${answer.statusCode} ${text}`] = (errors[`${answer.statusCode} ${text}`] ?? 0) + 1;
        const found = check?.((name) => String(answer.headers[name] ?? ''), askedAfter) ?? '';
        if (found !== '') findings.push(found);
      } catch (error) {
        errors[String(error)] = (errors[String(error)] ?? 0) + 1;
      }
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      calls++;
      for (const waiter of waiters) waiter();
    }
    await client.close();
  };
  const loops = Array.from({ length: clients }, (_, number) => loop(number));

  return {
    answered: (count) => {
      const goal = calls + count;
      return new Promise((resolve) => {
        const look = (): void => {
          if (calls < goal) return;
          waiters.delete(look);
          resolve();
        };
        waiters.add(look);
      });
    },
    stop: async () => {
      over = true;
      await Promise.all(loops);
      return { calls, errors, again, slowestMs, findings };
    },
  };
}
