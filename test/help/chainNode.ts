import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hashOf } from './chainView.ts';

interface Asked {
  readonly method: string;
  readonly params: readonly unknown[];
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/** Heights up to which each branch is told apart; below, all are branch a. */
const GENESIS_NUMBER = 0;

/**
 * A node over HTTP whose chain a test moves by hand: blocks by number, tag and hash; states that tell at which block and
 * branch they were read; transactions by a script. Its pool takes any raw transaction.
 */
export class ChainNode {
  /** Calls that a probe does not make. */
  readonly asked: Asked[] = [];
  head: number;
  finalized = 64;
  /** Branch by the height it begins at. */
  branches: readonly (readonly [from: number, branch: string])[] = [[GENESIS_NUMBER, 'a']];
  /** The answer to a method, as a result or an error; undefined = its own. */
  script: (method: string, params: readonly unknown[]) => { readonly result?: unknown; readonly error?: object } | undefined = () => undefined;
  readonly #server: Server;
  #held: { readonly method: string; readonly until: Promise<void>; onHeld: () => void } | null = null;

  private constructor(server: Server, head: number) {
    this.#server = server;
    this.head = head;
  }

  static async start(head = 100): Promise<ChainNode> {
    const server = createServer();
    const node = new ChainNode(server, head);
    server.on('request', (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const body = node.#answer(Buffer.concat(pieces).toString('utf8'));
        void node.#released(body).then(() => response.writeHead(200, { 'content-type': 'application/json' }).end(body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return node;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Leaves the branch it is on: blocks from `from` up are of another. */
  fork(from: number, branch: string): void {
    this.branches = [...this.branches.filter(([at]) => at < from), [from, branch]];
  }

  hashAt(number: number): string {
    return hashOf(number, this.branchAt(number));
  }

  branchAt(number: number): string {
    return this.branches.findLast(([from]) => from <= number)?.[1] ?? 'a';
  }

  /** Params of each call of a method, in order. */
  paramsOf(method: string): unknown[] {
    return this.asked.filter((call) => call.method === method).map((call) => call.params);
  }

  /** Holds the next answer to a method back, made of the chain as it is when asked. Resolves when it is held. */
  hold(until: Promise<void>, method: string): Promise<void> {
    return new Promise((resolve) => {
      this.#held = { method, until, onHeld: resolve };
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #released(body: string): Promise<void> {
    const held = this.#held;
    if (held === null || this.asked.at(-1)?.method !== held.method || !body.includes('result')) return;
    this.#held = null;
    held.onHeld();
    await held.until;
  }

  #answer(raw: string): string {
    const { id, method, params = [] } = JSON.parse(raw) as { id: number; method: string; params?: readonly unknown[] };
    // a probe asks for blocks without their transactions
    if (!(method === 'eth_getBlockByNumber' && params[1] === false) && method !== 'eth_chainId') this.asked.push({ method, params });
    return JSON.stringify({ jsonrpc: '2.0', id, ...(this.script(method, params) ?? this.#own(method, params)) });
  }

  #own(method: string, params: readonly unknown[]): { result?: unknown; error?: object } {
    switch (method) {
      case 'eth_chainId': return { result: '0x1' };
      case 'eth_syncing': return { result: false };
      case 'net_peerCount': return { result: '0x8' };
      case 'web3_clientVersion': return { result: 'chain/1' };
      case 'eth_getBlockByNumber': return { result: this.#block(this.#number(params[0])) };
      case 'eth_getBlockByHash': return { result: this.#block(this.#numberOf(String(params[0]))) };
      case 'eth_getBalance': return this.#state(params[1]);
      case 'eth_gasPrice': return { result: hex(this.head) };
      case 'eth_getTransactionReceipt': return { result: null };
      case 'eth_getTransactionByHash': return { result: null };
      default: return { error: { code: -32601, message: 'the method does not exist' } };
    }
  }

  /** `0x`, the branch's letter as two hex digits, the height. */
  #state(at: unknown): { result?: unknown; error?: object } {
    const number = typeof at === 'object' && at !== null ? this.#numberOf(String((at as { blockHash: unknown }).blockHash)) : this.#number(at);
    if (number < 0 || number > this.head) return { error: { code: -32000, message: 'header not found' } };
    return { result: `0x${this.branchAt(number).charCodeAt(0).toString(16)}${number.toString(16).padStart(6, '0')}` };
  }

  #number(tag: unknown): number {
    if (tag === 'finalized' || tag === 'safe') return this.finalized;
    return typeof tag === 'string' && tag.startsWith('0x') ? Number(tag) : this.head;
  }

  #numberOf(hash: string): number {
    for (let number = this.head; number >= 0; number--) if (this.hashAt(number) === hash) return number;
    return -1;
  }

  #block(number: number): unknown {
    if (number < 0 || number > this.head) return null;
    return { number: hex(number), hash: this.hashAt(number), parentHash: this.hashAt(number - 1), timestamp: hex(1_700_000_000 + number * 12), transactions: [] };
  }
}

/** What `eth_getBalance` of a `ChainNode` gives at a block. */
export const balanceAt = (number: number, branch = 'a'): string => `0x${branch.charCodeAt(0).toString(16)}${number.toString(16).padStart(6, '0')}`;
