import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ENGINES } from '../help/edge.ts';
import { begin, pour } from '../help/largeCall.ts';
import type { Begun } from '../help/largeCall.ts';
import { builtProgram, runProgram } from '../help/program.ts';
import { ScriptNode } from '../help/scriptNode.ts';

const MIB = 1024 * 1024;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(() => void builtProgram());
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** What a trace looks like, in pieces as a node writes them. */
const STEP = `{"pc":1234,"op":"PUSH1","gas":"0x1dcd6500","stack":["0x80","0x40"],"memory":["${'0'.repeat(64)}"],"note":"\\"\\\\"},`;
const PIECE = Buffer.from(STEP.repeat(Math.floor(65_536 / STEP.length)));

function* traceOf(id: number, bytes: number): Generator<Buffer> {
  yield Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{"structLogs":[`);
  for (let left = bytes; left > 0; left -= PIECE.length) yield PIECE;
  yield Buffer.from('0]}}\n');
}

interface Count {
  readonly bytes: number;
  readonly head: string;
  readonly tail: string;
  readonly whole: boolean;
}

/** Reads an answer without keeping it. */
async function count({ answer }: Begun): Promise<Count> {
  let [bytes, head, tail] = [0, '', ''];
  answer.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (head.length < 60) head += piece.toString('latin1', 0, 60);
    tail = (tail + piece.toString('latin1')).slice(-40);
  });
  await new Promise<void>((resolve) => void answer.once('close', () => resolve()));
  return { bytes, head, tail, whole: answer.complete };
}

/** Most resident memory of a process since it was asked last, in MiB. */
function peak(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

async function world(engine: string, bytesOf: () => number): Promise<{ url: string; pid: number; node: ScriptNode }> {
  const node = await ScriptNode.start(({ id }) => ({
    by: (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      void pour(response, traceOf(id, bytesOf())).then(() => response.end());
    },
  }));
  closers.push(() => node.close());
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-large-'));
  closers.push(() => Promise.resolve(rmSync(folder, { recursive: true })));
  const file = join(folder, 'config.yaml');
  writeFileSync(file, JSON.stringify({
    server: { port: 0, engine }, admin: { port: 0, tokenFile: '' }, chains: [{ name: 'test', chainId: 1, upstreams: [{ name: 'a', http: node.httpUrl }] }],
  }));
  const program = runProgram('serve', '--config', file);
  closers.push(async () => {
    program.kill('SIGKILL');
    await program.ended;
  });
  return { url: (await program.listening).url, pid: program.pid, node };
}

describe.each(ENGINES)('memory of the process, engine %s', (engine) => {
  it('is bounded by the window whatever the size of an answer', async () => {
    let bytes = MIB;
    const { url, pid } = await world(engine, () => bytes);
    const tell = async (id: number): Promise<Count> => count(await begin(url, String(id)));
    // what the runtime takes for a start
    for (let id = 0; id < 20; id++) expect((await tell(id)).whole).toBe(true);
    peak(pid);
    const before = peak(pid);
    for (const [size, most] of [[21 * MIB, 35], [200 * MIB, 70]] as const) {
      bytes = size;
      const told = await tell(7);
      expect(told).toMatchObject({ whole: true, tail: expect.stringMatching(/0\]\}\}$/) as string });
      expect(told.head).toMatch(/^\{"jsonrpc":"2\.0","id":7,"result":\{"structLogs":\[/);
      expect(told.bytes).toBeGreaterThan(size);
      expect(peak(pid) - before).toBeLessThan(most);
    }
  }, 60_000);

  it('is bounded for readers that do not read', async () => {
    const { url, pid, node } = await world(engine, () => 100 * MIB);
    for (let id = 0; id < 3; id++) (await begin(url, String(id))).sent.destroy();
    await vi.waitFor(() => expect(node.calls).toHaveLength(3), 10_000);
    peak(pid);
    const before = peak(pid);
    const slow = await Promise.all(Array.from({ length: 8 }, (_, id) => begin(url, String(id))));
    // another client is served meanwhile, and its answer is whole
    expect((await count(await begin(url, '9'))).whole).toBe(true);
    expect(peak(pid) - before).toBeLessThan(120);
    for (const { sent } of slow) sent.destroy();
  }, 60_000);
});
