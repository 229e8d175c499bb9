import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call as a node received it. */
export interface NodeCall {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
  /** The whole body, as sent. */
  readonly raw: string;
}

interface Envelope {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}

/** What a node says: raw JSON of a result, of an error, or the whole body, or it is written by hand; `hang` = nothing, ever. */
export type Say = { readonly result: string } | { readonly error: string } | { readonly by: (response: ServerResponse) => void } | { readonly body: string; readonly status?: number } | 'hang';

interface Said {
  readonly status: number;
  readonly body: string;
  readonly isProbe?: boolean;
  readonly by?: (response: ServerResponse) => void;
}

const HEAD_NUMBER = 100;
const hex = (value: number): string => `0x${value.toString(16)}`;
const word = (value: number): string => `0x${value.toString(16).padStart(64, '0')}`;

/** Answers of a healthy node that stands at block 100 of chain 1. */
const HEALTHY: Readonly<Record<string, string>> = {
  eth_syncing: 'false',
  net_peerCount: '"0x8"',
  web3_clientVersion: '"script/1"',
};

const block = (params: unknown): string => {
  const tag = Array.isArray(params) ? params[0] : 'latest';
  const back: Record<string, number> = { safe: 32, finalized: 64 };
  const number = typeof tag === 'string' && tag.startsWith('0x') ? Number(tag) : HEAD_NUMBER - (back[String(tag)] ?? 0);
  return JSON.stringify({ number: hex(number), hash: word(number), parentHash: word(number - 1), timestamp: hex(1_700_000_000 + number * 12) });
};

/** A node over HTTP that is healthy towards probes and follows a script towards everything else. */
export class ScriptNode {
  /** Calls that are not a probe's. */
  readonly calls: NodeCall[] = [];
  /** Sizes of the batches that it was sent. */
  readonly batches: number[] = [];
  /** Connections that were cut by the other side while a call hung. */
  cut = 0;
  /** Answers that are no probe's wait for this. */
  hold: Promise<void> | null = null;
  refusesBatches = false;
  chainId = '0x1';
  /** Requests in each second, by its own clock, that are answered; the rest gets a 429. Probes count. 0 = all. */
  perS = 0;
  /** Requests by second: answered and refused. */
  readonly seconds = new Map<number, { taken: number; refused: number }>();
  say: (call: NodeCall) => Say;
  private readonly server: Server;

  private constructor(server: Server, say: (call: NodeCall) => Say) {
    this.server = server;
    this.say = say;
  }

  static async start(say: (call: NodeCall) => Say): Promise<ScriptNode> {
    const server = createServer();
    const node = new ScriptNode(server, say);
    server.on('request', (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const said = node.answer(Buffer.concat(pieces).toString('utf8'));
        if (said === 'hang') response.once('close', () => node.cut++);
        else if (said.by !== undefined) said.by(response);
        else if (node.hold !== null && !said.isProbe) void node.hold.then(() => response.writeHead(said.status, { 'content-type': 'application/json' }).end(said.body));
        else response.writeHead(said.status, { 'content-type': 'application/json' }).end(said.body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return node;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private isOver(): boolean {
    const second = Math.floor(performance.now() / 1000);
    const counts = this.seconds.get(second) ?? { taken: 0, refused: 0 };
    this.seconds.set(second, counts);
    const over = this.perS > 0 && counts.taken >= this.perS;
    if (over) counts.refused++;
    else counts.taken++;
    return over;
  }

  private answer(raw: string): Said | 'hang' {
    if (this.isOver()) return { status: 429, body: '{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"rate limit exceeded"}}', isProbe: true };
    const asked = JSON.parse(raw) as Envelope | Envelope[];
    if (!Array.isArray(asked)) return this.answerOne(asked, raw);
    this.batches.push(asked.length);
    if (this.refusesBatches) return { status: 200, body: '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"invalid request"}}' };
    const said = asked.map((each) => this.answerOne(each, raw));
    const bodies = said.flatMap((each) => (each === 'hang' ? [] : [each.body]));
    return bodies.length < said.length ? 'hang' : { status: 200, body: `[${bodies.join(',')}]` };
  }

  private answerOne({ id, method, params }: Envelope, raw: string): Said | 'hang' {
    const healthy = method === 'eth_getBlockByNumber' ? block(params) : method === 'eth_chainId' ? `"${this.chainId}"` : HEALTHY[method];
    if (healthy !== undefined) return { status: 200, body: `{"jsonrpc":"2.0","id":${id},"result":${healthy}}`, isProbe: true };
    const call = { id, method, params, raw };
    this.calls.push(call);
    const said = this.say(call);
    if (said === 'hang') return said;
    if ('by' in said) return { status: 200, body: '', by: said.by };
    if ('body' in said) return { status: said.status ?? 200, body: said.body };
    const member = 'result' in said ? `"result":${said.result}` : `"error":${said.error}`;
    return { status: 200, body: `{"jsonrpc":"2.0","id":${id},${member}}` };
  }
}
