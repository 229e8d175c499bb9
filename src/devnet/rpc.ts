import { Pool } from 'undici';
import { reasonOf } from './report.ts';

/** A node's own JSON-RPC error. */
export class NodeError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The node did not answer: refused, closed, too late, or not JSON-RPC. */
export class Unreachable extends Error {}

/** Method and params of one call. */
export type Call = readonly [method: string, ...params: unknown[]];

/** A block as `eth_getBlockByNumber(…, false)` gives it: the fields that matter here. */
export interface NodeBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly gasUsed: bigint;
  readonly gasLimit: bigint;
  readonly baseFeePerGas: bigint;
  /** Hashes, in order. */
  readonly transactions: readonly string[];
}

/** anvil refuses bodies over 2 MB. */
const MAX_BATCH_BYTES = 1_000_000;
const MAX_BATCH_CALLS = 500;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Checks and converts a block object. @throws Unreachable when it is not one */
export function readBlock(value: unknown): NodeBlock {
  if (!isObject(value) || typeof value['number'] !== 'string' || !Array.isArray(value['transactions'])) {
    throw new Unreachable('the node gave no block');
  }
  return {
    number: Number(value['number']),
    // The pending block has no hash on some nodes.
    hash: String(value['hash'] ?? ''),
    parentHash: String(value['parentHash']),
    timestamp: Number(value['timestamp']),
    gasUsed: BigInt(String(value['gasUsed'])),
    gasLimit: BigInt(String(value['gasLimit'])),
    baseFeePerGas: BigInt(String(value['baseFeePerGas'])),
    transactions: value['transactions'].map(String),
  };
}

function readAnswer(value: unknown): unknown {
  if (!isObject(value)) return new NodeError(0, 'no answer');
  const error = value['error'];
  return isObject(error) ? new NodeError(Number(error['code']), String(error['message'])) : value['result'];
}

/** JSON-RPC over HTTP to one local node. */
export class NodeRpc {
  readonly #pool: Pool;
  readonly #timeoutMs: number;

  /** @param timeoutMs bound on every HTTP exchange */
  constructor(url: string, timeoutMs: number) {
    this.#pool = new Pool(url, { connections: 4 });
    this.#timeoutMs = timeoutMs;
  }

  /** @throws NodeError, Unreachable */
  async call(...[method, ...params]: Call): Promise<unknown> {
    const answer = readAnswer(await this.#post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })));
    if (answer instanceof NodeError) throw answer;
    return answer;
  }

  /**
   * Sends calls in order, in as few bodies as the node's limit allows. Each place of the answer is a result or a
   * `NodeError`. @throws Unreachable
   */
  async batch(calls: readonly Call[], maxCalls: number = MAX_BATCH_CALLS): Promise<unknown[]> {
    const answers: unknown[] = [];
    let texts: string[] = [];
    let sizeBytes = 0;
    for (const [index, [method, ...params]] of calls.entries()) {
      const text = JSON.stringify({ jsonrpc: '2.0', id: index, method, params });
      if (texts.length > 0 && (texts.length >= maxCalls || sizeBytes + text.length > MAX_BATCH_BYTES)) {
        await this.#flush(texts, answers);
        texts = [];
        sizeBytes = 0;
      }
      texts.push(text);
      sizeBytes += text.length + 1;
    }
    if (texts.length > 0) await this.#flush(texts, answers);
    return calls.map((_, index) => answers[index] ?? null);
  }

  /** The node's newest block. */
  head(): Promise<NodeBlock> {
    return this.block('latest');
  }

  /** @throws NodeError, Unreachable */
  async block(which: number | 'latest' | 'pending'): Promise<NodeBlock> {
    const tag = typeof which === 'number' ? `0x${which.toString(16)}` : which;
    return readBlock(await this.call('eth_getBlockByNumber', tag, false));
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #flush(texts: readonly string[], answers: unknown[]): Promise<void> {
    const reply = await this.#post(`[${texts.join(',')}]`);
    if (!Array.isArray(reply)) throw new Unreachable('the node did not answer a batch with a batch');
    for (const one of reply) {
      if (isObject(one) && typeof one['id'] === 'number') answers[one['id']] = readAnswer(one);
    }
  }

  async #post(body: string): Promise<unknown> {
    try {
      const answer = await this.#pool.request({
        path: '/',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      return await answer.body.json();
    } catch (error) {
      throw new Unreachable(reasonOf(error));
    }
  }
}
