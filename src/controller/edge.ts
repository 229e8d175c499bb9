import { readFile } from 'node:fs/promises';
import type { ControllerConfig } from '../config/schema.ts';
import type { EdgeFacts } from '../heal/facts.ts';

const STATES: ReadonlySet<string> = new Set(['serving', 'ramping', 'cordoned', 'ejected', 'probation', 'down']);

interface Told {
  readonly name: string;
  readonly state: EdgeFacts['state'];
  readonly why: string;
  readonly inFlight: number;
  readonly configuredWeight: number;
  readonly assignedWeight: number;
  readonly headNumber?: number;
  readonly lagBlocks?: number;
  readonly failureRate?: number;
  readonly samples?: number;
  readonly p50Ms?: number;
}

/** One chain as the gateway tells it. */
export interface EdgeChain {
  readonly head: { readonly number: number; readonly hash: string } | null;
  readonly blockTimeMs: number;
  readonly upstreams: ReadonlyMap<string, Told>;
}

function toldOf(value: unknown): Told | null {
  const told = (value ?? {}) as Partial<Told>;
  const numbers = [told.inFlight, told.configuredWeight, told.assignedWeight];
  return typeof told.name === 'string' && STATES.has(told.state ?? '') && numbers.every((one) => typeof one === 'number') ? (told as Told) : null;
}

function chainOf(value: unknown): readonly [string, EdgeChain] | null {
  const { chain, head, blockTimeMs, upstreams } = (value ?? {}) as { chain?: unknown; head?: EdgeChain['head']; blockTimeMs?: unknown; upstreams?: unknown };
  if (typeof chain !== 'string' || !Array.isArray(upstreams)) return null;
  const told = upstreams.map(toldOf).filter((one) => one !== null);
  return [chain, { head: head ?? null, blockTimeMs: Number(blockTimeMs) || 0, upstreams: new Map(told.map((one) => [one.name, one])) }];
}

const WORDS: Readonly<Record<string, string>> = { ECONNREFUSED: 'nothing listens there', ECONNRESET: 'the connection was cut', ENOTFOUND: 'no such host' };

/** What kept the gateway from answering. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const code = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : '';
  return WORDS[code] ?? (error instanceof SyntaxError ? 'what answers there is no gateway' : error.message);
}

/** The gateway's admin port, as the controller uses it. */
export class EdgeClient {
  readonly #config: ControllerConfig['edge'];
  readonly #timeoutMs: number;
  #fault: string | null = null;

  constructor(config: ControllerConfig['edge'], timeoutMs: number) {
    this.#config = config;
    this.#timeoutMs = timeoutMs;
  }

  /** Why the newest look got no answer; null = it did. */
  get fault(): string | null {
    return this.#fault;
  }

  /** All chains by name; null when the gateway cannot be asked. */
  async look(): Promise<ReadonlyMap<string, EdgeChain> | null> {
    try {
      const answer = await fetch(new URL('/api/v1/upstreams', this.#config.url), { signal: AbortSignal.timeout(this.#timeoutMs) });
      const told: unknown = answer.ok ? await answer.json() : await answer.body?.cancel();
      this.#fault = Array.isArray(told) ? null : answer.ok ? 'what answers there is no gateway' : `it answers ${answer.status}`;
      return Array.isArray(told) ? new Map(told.map(chainOf).filter((one) => one !== null)) : null;
    } catch (error) {
      this.#fault = wordsOf(error);
      return null;
    }
  }

  /** @throws Error with the gateway's own words when it refuses, or what kept it from answering */
  async change(chain: string, upstream: string, action: 'cordon' | 'uncordon' | 'weight', body: object = {}): Promise<void> {
    await this.#send('POST', `${encodeURIComponent(chain)}/${encodeURIComponent(upstream)}/${action}`, body);
  }

  /** Puts an upstream on its list; one of that name may be there already. @throws Error as `change` does */
  async enlist(chain: string, upstream: object): Promise<void> {
    await this.#send('POST', encodeURIComponent(chain), upstream, 409);
  }

  /** Takes an upstream off its list; it may be gone already. @throws Error as `change` does */
  async delist(chain: string, upstream: string): Promise<void> {
    await this.#send('DELETE', `${encodeURIComponent(chain)}/${encodeURIComponent(upstream)}`, {}, 404);
  }

  /** @param done status that says that there is nothing left to do */
  async #send(method: 'POST' | 'DELETE', path: string, body: object, done = 0): Promise<void> {
    const token = await this.#token();
    const answer = await fetch(new URL(`/api/v1/upstreams/${path}`, this.#config.url), {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(this.#timeoutMs),
    }).catch((error: unknown) => {
      throw new Error(`the gateway cannot be asked: ${wordsOf(error)}`);
    });
    const said = await answer.text();
    if (answer.ok || answer.status === done) return;
    const hint = answer.status === 401 || answer.status === 403 ? `; the token is that of ${this.#config.tokenFile} (controller.edge.tokenFile)` : '';
    throw new Error(`the gateway answered ${answer.status}: ${said.slice(0, 200)}${hint}`);
  }

  async #token(): Promise<string> {
    const { tokenFile } = this.#config;
    try {
      return (await readFile(tokenFile, 'utf8')).trim();
    } catch (error) {
      throw new Error(`the gateway's token cannot be read from ${tokenFile} (controller.edge.tokenFile): ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`);
    }
  }
}

/** What the gateway says of one upstream; null when it says nothing. */
export function edgeFactsOf(chain: EdgeChain | undefined, upstream: string): EdgeFacts | null {
  const told = chain?.upstreams.get(upstream);
  if (told === undefined) return null;
  const { state, inFlight, assignedWeight, configuredWeight } = told;
  return { state, cordoned: state === 'cordoned', inFlight, assignedWeight, configuredWeight, why: evidenceOf(told) };
}

/** Its own words, and for a node that it keeps out what it saw of it. */
function evidenceOf({ state, why, headNumber, lagBlocks, failureRate, samples, p50Ms }: Told): string {
  if (state !== 'ejected' && state !== 'down') return why;
  const seen = [
    headNumber === undefined || headNumber < 0 ? '' : `head ${headNumber}`,
    lagBlocks === undefined || lagBlocks <= 0 ? '' : `${lagBlocks} blocks behind`,
    samples === undefined || samples === 0 ? '' : `${Math.round(100 * (failureRate ?? 0))} % of ${samples} calls failed`,
    p50Ms === undefined || !(p50Ms > 0) ? '' : `median ${Math.round(p50Ms)} ms`,
  ];
  const facts = seen.filter((text) => text !== '');
  return facts.length === 0 ? why : `${why}; ${facts.join(', ')}`;
}
