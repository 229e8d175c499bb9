import { request } from 'node:http';

const MAX_ANSWER_BYTES = 1024 * 1024;

/** A block as a look needs it. */
export interface SeenBlock {
  readonly number: number;
  readonly hash: string;
}

/** What one look at a node's RPC brought; null where it did not answer that. */
export interface RpcLook {
  readonly head: SeenBlock | null;
  readonly syncing: boolean | null;
  readonly peers: number | null;
}

function post(port: number, body: string, timeoutMs: number): Promise<unknown> {
  return new Promise((done, failed) => {
    const call = request({ host: '127.0.0.1', port, method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) answer.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      answer.on('error', failed);
      answer.on('end', () => {
        try {
          done(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        } catch (error) {
          failed(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    call.on('error', failed);
    call.end(body);
  });
}

/** The result of one call, or undefined when it failed in any way. */
async function call(port: number, method: string, params: readonly unknown[], timeoutMs: number): Promise<unknown> {
  try {
    const answer = await post(port, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), timeoutMs);
    return (answer as { result?: unknown } | null)?.result;
  } catch {
    return undefined;
  }
}

const quantity = (value: unknown): number | null => (typeof value === 'string' && /^0x[0-9a-f]{1,13}$/i.test(value) ? Number(value) : null);

function blockOf(value: unknown): SeenBlock | null {
  const { number, hash } = (value ?? {}) as { number?: unknown; hash?: unknown };
  const height = quantity(number);
  return height !== null && typeof hash === 'string' && /^0x[0-9a-f]{64}$/i.test(hash) ? { number: height, hash: hash.toLowerCase() } : null;
}

/** Asks an EVM node on this machine how it is. Never rejects. */
export async function lookAtNode(port: number, timeoutMs: number): Promise<RpcLook> {
  const [head, syncing, peers] = await Promise.all([
    call(port, 'eth_getBlockByNumber', ['latest', false], timeoutMs),
    call(port, 'eth_syncing', [], timeoutMs),
    call(port, 'net_peerCount', [], timeoutMs),
  ]);
  return { head: blockOf(head), syncing: syncing === undefined ? null : syncing !== false, peers: quantity(peers) };
}

/** Hash of a node's block at a height; null = it does not tell. */
export async function hashAt(port: number, number: number, timeoutMs: number): Promise<string | null> {
  return blockOf(await call(port, 'eth_getBlockByNumber', [`0x${number.toString(16)}`, false], timeoutMs))?.hash ?? null;
}
