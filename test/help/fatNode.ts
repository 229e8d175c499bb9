import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { headerHash } from '../../src/gateway/headerHash.ts';
import { hex } from './logChain.ts';

interface Asked {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}
type Block = Readonly<Record<string, unknown>> & { readonly number: string; readonly hash: string };

const zeroes = (bytes: number): string => `0x${'00'.repeat(bytes)}`;
const SUBSCRIPTION = '0xfa7';

/** A node over HTTP and WebSocket that makes blocks when it is told to, with headers of any size. */
export class FatNode {
  readonly name = 'fat';
  /** Bytes of `extraData`; each makes two characters of a notice. */
  extraBytes = 0;
  /** Methods that it was asked, in order. */
  readonly asked: string[] = [];
  /** The answer to `eth_syncing`. */
  syncing: unknown = false;
  readonly #server: Server;
  readonly #blocks: Block[] = [];
  readonly #listeners = new Set<WebSocket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(blocks = 4): Promise<FatNode> {
    const server = createServer();
    const node = new FatNode(server);
    for (let i = 0; i < blocks; i++) node.#make();
    server.on('request', (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(node.#answer(Buffer.concat(pieces).toString())));
    });
    new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (ws) => {
      ws.on('error', () => undefined);
      ws.on('close', () => node.#listeners.delete(ws));
      ws.on('message', (data) => {
        ws.send(node.#answer(String(data)));
        if (String(data).includes('newHeads')) node.#listeners.add(ws);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return node;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  get wsUrl(): string {
    return this.httpUrl.replace('http', 'ws');
  }

  /** Somebody listens to its heads. */
  get heard(): boolean {
    return this.#listeners.size > 0;
  }

  /** Height of the newest block. */
  get tip(): number {
    return this.#blocks.length - 1;
  }

  /** Makes a block and tells of it. @returns its height */
  block(): number {
    const head = JSON.stringify(this.#make());
    for (const ws of this.#listeners) ws.send(`{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${SUBSCRIPTION}","result":${head}}}`);
    return this.tip;
  }

  async close(): Promise<void> {
    for (const ws of this.#listeners) ws.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #make(): Block {
    const number = this.#blocks.length;
    const hashes = Object.fromEntries(['sha3Uncles', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'mixHash'].map((name) => [name, zeroes(32)]));
    const fields = {
      ...hashes,
      parentHash: this.#blocks.at(-1)?.hash ?? zeroes(32),
      miner: zeroes(20),
      logsBloom: zeroes(256),
      difficulty: '0x0',
      number: hex(number),
      gasLimit: '0x1c9c380',
      gasUsed: '0x0',
      timestamp: hex(1_700_000_000 + number),
      extraData: zeroes(this.extraBytes),
      nonce: zeroes(8),
    };
    const block = { ...fields, hash: headerHash(fields) };
    this.#blocks.push(block);
    return block;
  }

  #answer(text: string): string {
    const asked = JSON.parse(text) as Asked | Asked[];
    return Array.isArray(asked) ? `[${asked.map((each) => this.#one(each)).join()}]` : this.#one(asked);
  }

  #one({ id, method, params }: Asked): string {
    this.asked.push(method);
    const result = this.#result(method, params);
    return JSON.stringify({ jsonrpc: '2.0', id, ...(result === undefined ? { error: { code: -32601, message: 'the method does not exist' } } : { result }) });
  }

  #result(method: string, [first]: readonly unknown[]): unknown {
    const full = (block: Block | undefined): unknown => (block === undefined ? null : { ...block, transactions: [] });
    switch (method) {
      case 'eth_chainId': return '0x1';
      case 'eth_syncing': return this.syncing;
      case 'net_peerCount': return '0x8';
      case 'web3_clientVersion': return 'fat/1';
      case 'eth_subscribe': return SUBSCRIPTION;
      case 'eth_getBlockByNumber': return full(typeof first === 'string' && first.startsWith('0x') ? this.#blocks[Number(first)] : this.#blocks.at(-1));
      // tells at which height it was asked
      case 'eth_getBalance': return hex(this.tip);
      case 'eth_getBlockByHash': return full(this.#blocks.find(({ hash }) => hash === first));
      default: return undefined;
    }
  }
}
