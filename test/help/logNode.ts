import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hex } from './logChain.ts';
import type { LogAsk, LogBlock, LogChain } from './logChain.ts';

interface Asked {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** How a node words that a range is too long. */
export type Wording = (asked: { readonly from: number; readonly to: number; readonly limit: number }) => { readonly code: number; readonly message: string };

export interface LogNodeOptions {
  /** Most blocks of one query; 0 = any. */
  readonly limit?: number;
  readonly wording?: Wording;
  /** Most logs of one answer; 0 = any. */
  readonly maxLogs?: number;
  /** Most addresses, and alternatives of one topic, of one query; 0 = any. */
  readonly maxItems?: number;
  /** Its log index lags: the newest block has none. */
  readonly lags?: boolean;
  /** Blocks below the head that are final. */
  readonly finalDepth?: number;
}

/** A node over HTTP that serves the logs of a `LogChain`, within limits. */
export class LogNode {
  readonly chain: LogChain;
  readonly options: LogNodeOptions;
  /** Queries by blocks and what else was asked, in order. */
  readonly asked: Asked[] = [];
  /** Queries refused for their size. */
  refused = 0;
  /** Called with each call before it is answered. */
  onAsked: (method: string) => void = () => undefined;
  /** Answers to log queries wait for this. */
  hold: Promise<void> | null = null;
  /** Log queries under way, and most of them at once. */
  underWay = 0;
  mostUnderWay = 0;
  /** So many log queries are refused with 429. */
  busy = 0;
  /** Answers nothing from now on. */
  dead = false;
  readonly #server: Server;

  private constructor(server: Server, chain: LogChain, options: LogNodeOptions) {
    this.#server = server;
    this.chain = chain;
    this.options = options;
  }

  static async start(chain: LogChain, options: LogNodeOptions = {}): Promise<LogNode> {
    const server = createServer();
    const node = new LogNode(server, chain, options);
    server.on('request', (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const asked = JSON.parse(Buffer.concat(pieces).toString('utf8')) as Asked | Asked[];
        const body = Array.isArray(asked) ? `[${asked.map((each) => node.#answer(each)).join()}]` : node.#answer(asked);
        const isLogs = !Array.isArray(asked) && asked.method === 'eth_getLogs';
        const isBusy = isLogs && node.busy-- > 0;
        const answer = (): void => {
          if (isLogs) node.underWay--;
          response.writeHead(isBusy ? 429 : 200, { 'content-type': 'application/json' }).end(isBusy ? '{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"rate limit exceeded"}}' : body);
        };
        if (isLogs) node.mostUnderWay = Math.max(node.mostUnderWay, ++node.underWay);
        if (isLogs && node.hold !== null) void node.hold.then(answer);
        else answer();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return node;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  get finalized(): number {
    return Math.max(0, this.chain.head.number - (this.options.finalDepth ?? 16));
  }

  /** Log queries over ranges that reached it. */
  get pieces(): number {
    return this.asked.filter(({ method, params }) => method === 'eth_getLogs' && (params[0] as LogAsk).blockHash === undefined).length;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer({ id, method, params = [] }: Asked): string {
    if (!/^(eth_getBlockByNumber|eth_chainId|eth_syncing|net_peerCount|web3_clientVersion)$/.test(method)) this.asked.push({ id, method, params });
    this.onAsked(method);
    return JSON.stringify({ jsonrpc: '2.0', id, ...this.#own(method, params) });
  }

  #own(method: string, params: readonly unknown[]): { readonly result?: unknown; readonly error?: object } {
    switch (method) {
      case 'eth_chainId': return { result: '0x1' };
      case 'eth_syncing': return { result: false };
      case 'net_peerCount': return { result: '0x8' };
      case 'web3_clientVersion': return { result: 'logs/1' };
      case 'eth_getBlockByNumber': return { result: this.#shown(this.#at(String(params[0]))) };
      case 'eth_getBlockByHash': return { result: this.#shown(this.chain.all.get(String(params[0]))) };
      case 'eth_getBlockReceipts': return { result: this.#receipts(this.chain.all.get(String(params[0]))) };
      case 'eth_getLogs': return this.#logs(params[0] as LogAsk);
      default: return { error: { code: -32601, message: 'the method does not exist' } };
    }
  }

  #at(tag: string): LogBlock | undefined {
    const { blocks, head } = this.chain;
    return tag === 'finalized' || tag === 'safe' ? blocks[this.finalized] : tag.startsWith('0x') ? blocks[Number(tag)] : head;
  }

  #shown(block: LogBlock | undefined): unknown {
    if (block === undefined) return null;
    const { number, hash, parentHash, logsBloom } = block;
    return { number: hex(number), hash, parentHash, logsBloom, timestamp: hex(1_700_000_000 + number * 12), transactions: [] };
  }

  #receipts(block: LogBlock | undefined): unknown {
    if (block === undefined) return null;
    return block.logs.length === 0 ? [] : [{ blockHash: block.hash, blockNumber: hex(block.number), logs: block.logs }];
  }

  #refusal({ address, topics = [] }: LogAsk, found: number): { readonly error: object } | null {
    const { maxLogs = 0, maxItems = 0 } = this.options;
    const longest = Math.max(...[address, ...topics].map((any) => (Array.isArray(any) ? any.length : 0)));
    const isOver = maxItems > 0 && longest > maxItems;
    if (!isOver && (maxLogs === 0 || found <= maxLogs)) return null;
    this.refused++;
    return { error: isOver ? { code: -32602, message: 'exceed max addresses or topics per search position' } : { code: -32005, message: `query returned more than ${maxLogs} results` } };
  }

  #logs(ask: LogAsk): { readonly result?: unknown; readonly error?: object } {
    const { limit = 0, wording, lags = false } = this.options;
    const { head } = this.chain;
    if (ask.blockHash !== undefined) {
      if (!this.chain.all.has(ask.blockHash)) return { error: { code: -32000, message: 'unknown block' } };
      return { result: lags && ask.blockHash === head.hash ? [] : this.chain.query(ask) };
    }
    const [from, to] = [Number(ask.fromBlock ?? head.number), Number(ask.toBlock ?? head.number)];
    if (limit > 0 && to - from + 1 > limit && wording !== undefined) {
      this.refused++;
      return { error: wording({ from, to, limit }) };
    }
    const found = this.chain.query(ask).filter(({ blockHash }) => !lags || blockHash !== head.hash);
    return this.#refusal(ask, found.length) ?? { result: found };
  }
}

/** Wordings of five providers and clients. */
export const WORDINGS: readonly Wording[] = [
  ({ limit }) => ({ code: -32614, message: `eth_getLogs is limited to a ${limit} range` }),
  ({ from, to, limit }) => ({ code: -32602, message: `range ${to - from + 1} exceeds limit of ${limit}` }),
  ({ from, limit }) => ({ code: -32600, message: `You can make eth_getLogs requests with up to a ${limit} block range. Based on your parameters, this block range should work: [${hex(from)}, ${hex(from + limit - 1)}]` }),
  ({ limit }) => ({ code: -32602, message: `query exceeds max block range ${limit}` }),
  () => ({ code: -32000, message: 'block range is too wide' }),
];
