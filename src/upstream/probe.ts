import type { BlockMark, Head } from '../chain/head.ts';
import type { Clock } from '../base/clock.ts';
import type { Outcome } from '../chain/outcome.ts';
import type { ProbeFailure, ProbeResult } from '../health/probe.ts';
import { readQuantity } from '../chain/evm/fields.ts';
import { parseJson, question, readAnswer, readHead, readMark } from './family.ts';
import type { Answer } from './family.ts';
import type { UpstreamClient } from './port.ts';

/** What is asked beside the head, and how often: 1 = by every probe, k = by every k-th, 0 = never. */
export interface ProbeEvery {
  /** Safe and finalized block. */
  readonly tags: number;
  readonly syncing: number;
  readonly peers: number;
  /** Chain id and client version. */
  readonly identity: number;
}

export const PROBE_EVERY: ProbeEvery = { tags: 4, syncing: 4, peers: 16, identity: 16 };

export interface ProberOptions {
  readonly timeoutMs: number;
  readonly every: ProbeEvery;
}

/** Facts that are asked seldom. The last known `syncing` and `peers` are told again in between. */
interface Slow {
  readonly safe: BlockMark | undefined;
  readonly finalized: BlockMark | undefined;
  readonly syncing: boolean;
  readonly peers: number | null;
}

type Reply = Answer | { readonly kind: 'failure'; readonly outcome: Outcome; readonly detail: string };
type Told = { readonly reply: Reply; readonly tookMs: number };

const UNKNOWN: Slow = { safe: undefined, finalized: undefined, syncing: false, peers: null };
const LONGEST_VERSION = 128;
const MOST_MARKS = 4;

/**
 * Asks one EVM node how it is, by parallel single calls (some nodes refuse batches). After a failed probe everything
 * is asked again, because another node may have come up at the address.
 * Give it a client of its own: behind client traffic a probe would measure our line, not the node.
 */
export class Prober {
  /** Calls that the last probe was. */
  calls = 0;
  readonly #client: UpstreamClient;
  readonly #options: ProberOptions;
  readonly #clock: Clock;
  #nextId = 1;
  #round = 0;
  #slow: Slow = UNKNOWN;

  constructor(client: UpstreamClient, options: ProberOptions, clock: Clock) {
    this.#client = client;
    this.#options = options;
    this.#clock = clock;
  }

  /**
   * Never rejects; ends within the timeout. One at a time.
   * @param numbers heights whose hashes are wanted; at most 4 are asked
   */
  async probe(numbers: readonly number[] = []): Promise<ProbeResult> {
    const round = this.#round++;
    this.calls = 0;
    const { every } = this.#options;
    const due = (nth: number): boolean => nth > 0 && round % nth === 0;
    const head = this.#ask('eth_getBlockByNumber', '["latest",false]');
    const [slow, marks, chainId, clientVersion] = await Promise.all([
      this.#askSlow(due),
      this.#askMarks(numbers),
      due(every.identity) ? this.#askChainId() : null,
      due(every.identity) ? this.#askVersion() : null,
    ]);
    const told = await head;
    const result = judge(told.reply);
    if (result.kind !== 'ok') {
      this.#round = 0;
      this.#slow = UNKNOWN;
      return result;
    }
    this.#slow = slow;
    return { kind: 'ok', head: result.head, ...slow, marks, chainId, clientVersion, latencyMs: told.tookMs };
  }

  async #askSlow(due: (nth: number) => boolean): Promise<Slow> {
    const { every } = this.#options;
    const old = this.#slow;
    const [safe, finalized, syncing, peers] = await Promise.all([
      due(every.tags) ? this.#askMark('"safe"') : undefined,
      due(every.tags) ? this.#askMark('"finalized"') : undefined,
      due(every.syncing) ? this.#askSyncing(old.syncing) : old.syncing,
      due(every.peers) ? this.#askPeers() : old.peers,
    ]);
    return { safe, finalized, syncing, peers };
  }

  async #askMark(blockRaw: string): Promise<BlockMark | undefined> {
    return readMark(await this.#value('eth_getBlockByNumber', `[${blockRaw},false]`)) ?? undefined;
  }

  async #askMarks(numbers: readonly number[]): Promise<readonly BlockMark[] | undefined> {
    if (numbers.length === 0) return undefined;
    const asked = numbers.slice(0, MOST_MARKS);
    const marks = await Promise.all(asked.map((number) => this.#askMark(`"0x${number.toString(16)}"`)));
    return marks.filter((mark, i): mark is BlockMark => mark !== undefined && mark.number === asked[i]);
  }

  async #askSyncing(old: boolean): Promise<boolean> {
    const value = await this.#value('eth_syncing', '[]');
    return value === undefined ? old : value !== false;
  }

  async #askPeers(): Promise<number | null> {
    const peers = readQuantity(await this.#value('net_peerCount', '[]'));
    return peers < 0 ? null : peers;
  }

  async #askChainId(): Promise<number | null> {
    const chainId = readQuantity(await this.#value('eth_chainId', '[]'));
    return chainId < 0 ? null : chainId;
  }

  async #askVersion(): Promise<string | null> {
    const version = await this.#value('web3_clientVersion', '[]');
    return typeof version === 'string' ? version.replace(/[^\x20-\x7e]/g, '?').slice(0, LONGEST_VERSION) : null;
  }

  /** The result, or undefined when there is none. */
  async #value(method: string, paramsRaw: string): Promise<unknown> {
    const { reply } = await this.#ask(method, paramsRaw);
    return reply.kind === 'result' ? reply.value : undefined;
  }

  #ask(method: string, paramsRaw: string): Promise<Told> {
    const id = this.#nextId++;
    this.calls++;
    const startMs = this.#clock.nowMs();
    return new Promise((resolve) => {
      const tell = (reply: Reply): void => resolve({ reply, tookMs: this.#clock.nowMs() - startMs });
      this.#client.send(question(id, method, paramsRaw), this.#options.timeoutMs, {
        onReply: (status, body) => tell(readBody(status, body, id)),
        onFailure: (outcome, detail) => tell({ kind: 'failure', outcome, detail }),
      });
    });
  }
}

const BAD_JSON: Outcome = { class: 'badJson', retry: 'other', blame: true, unsent: false, holdMs: 0 };

/** Codes of a call over a limit: of EIP-1474, of HTTP and of providers. */
const THROTTLED = new Set([-32005, 429, -32029]);

function readBody(status: number, body: Buffer, id: number): Reply {
  const answer = readAnswer(parseJson(body.toString('utf8')));
  if (answer === null) return { kind: 'failure', outcome: BAD_JSON, detail: `HTTP status ${status}, no JSON-RPC answer` };
  if (status === 429 && answer.kind === 'error') return { ...answer, code: status };
  if (answer.kind === 'error' || answer.id === id) return answer;
  return { kind: 'failure', outcome: BAD_JSON, detail: 'an answer with another id' };
}

/** What the answer to the head question comes to. Error texts of a node stay out: they can name its provider and key. */
function judge(reply: Reply): { readonly kind: 'ok'; readonly head: Head } | ProbeFailure {
  if (reply.kind === 'failure') return { kind: failureKind(reply.outcome), detail: reply.detail };
  if (reply.kind === 'error') return { kind: THROTTLED.has(reply.code) ? 'throttled' : 'bad', detail: `error ${reply.code} instead of a head` };
  const head = readHead(reply.value);
  return typeof head === 'string' ? { kind: 'bad', detail: `latest block: ${head}` } : { kind: 'ok', head };
}

function failureKind(outcome: Outcome): ProbeFailure['kind'] {
  if (outcome.class === 'timeout' || outcome.class === 'throttled') return outcome.class;
  return outcome.class === 'transport' ? 'refused' : 'bad';
}
