import { readFileSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import type { Random } from '../../src/base/random.ts';
import { ENGINES } from '../help/edge.ts';
import { expectServes, portOf, untilQuiet } from '../help/edgePressure.ts';
import { testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { RawClient } from '../help/raw.ts';
import { ScriptNode } from '../help/scriptNode.ts';

/**
 * Raw requests of the corpus, mutated, through the whole gateway. `@@` in a file becomes a mark of the run.
 * A run is repeated by its seed: `FUZZ_SEED=n FUZZ_RUNS=m`. A request that once failed is kept as a file.
 */
const CORPUS = new URL('./corpus-http/', import.meta.url);
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
/** Connections at once. */
const WAVE = 300;

const files = readdirSync(CORPUS).sort().map((name) => readFileSync(new URL(name, CORPUS), 'latin1'));
const SPICE = [
  '\r\n', '\r', '\n', '\r\n\r\n', '\0', ' ', '\t', ':', ',', ';', '"', '\\', '{', '}', '[', ']', '0', '-1', '\xff', '\x7f', '%00', '..', '0\r\n\r\n', 'ffffffff\r\n', '5;a=b\r\n',
  'Content-Length: 0\r\n', 'Content-Length: 5\r\n', 'Content-Length: 99999\r\n', 'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: identity\r\n', 'Host: b\r\n', 'Expect: 100-continue\r\n',
  'Content-Encoding: gzip\r\n', 'Connection: close\r\n', 'Upgrade: websocket\r\n', 'GET / HTTP/1.1\r\n', 'POST / HTTP/1.0\r\n', 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', ' folded\r\n', 'X: y\r\n'.repeat(120), `X: ${'a'.repeat(20_000)}\r\n`,
];

interface Sent {
  readonly seed: number;
  /** Latin1. */
  readonly bytes: string;
  /** Where the bytes are split in two writes. */
  readonly splitAt: number;
  /** The sending side is closed after them. */
  readonly isEnded: boolean;
}

function mutate(run: number): Sent {
  const seed = SEED + run;
  const random: Random = seededRandom(seed);
  const pick = (limit: number): number => Math.floor(random() * limit);
  let bytes = (files[run % files.length] ?? '').replaceAll('@@', (0x10 + (seed % 0xf0)).toString(16));
  for (let times = pick(4); times > 0; times--) {
    // Half of them in the head, where the framing is.
    const at = random() < 0.5 ? pick(Math.min(bytes.length, 120) + 1) : pick(bytes.length + 1);
    const end = Math.min(bytes.length, at + pick(12));
    const spice = SPICE[pick(SPICE.length)] ?? '';
    const other = files[pick(files.length)] ?? '';
    const lineAt = bytes.indexOf('\r\n', at) + 2;
    const kinds = [
      () => bytes.slice(0, at) + spice + bytes.slice(at),
      () => bytes.slice(0, lineAt) + spice + bytes.slice(lineAt),
      () => bytes.slice(0, at) + bytes.slice(end),
      () => bytes.slice(0, at) + String.fromCharCode(pick(256)) + bytes.slice(at + 1),
      () => bytes.slice(0, at),
      () => bytes.slice(0, at) + other.slice(pick(other.length)),
      () => bytes + other,
      () => bytes.slice(0, at) + bytes.slice(at - pick(at + 1), end) + bytes.slice(at),
    ];
    bytes = kinds[pick(kinds.length)]?.() ?? bytes;
  }
  return { seed, bytes, splitAt: random() < 0.5 ? 0 : pick(bytes.length), isEnded: random() < 0.25 };
}

/** Sends, and reads to the first answer or the end of the connection; none of both = the test times out. */
async function run(gateway: TestGateway, { seed, bytes, splitAt, isEnded }: Sent): Promise<void> {
  const client = await RawClient.open(portOf(gateway));
  client.write(bytes.slice(0, splitAt));
  await new Promise((resolve) => setImmediate(resolve));
  client.write(bytes.slice(splitAt));
  if (isEnded) client.end();
  const told = { seed, bytes };
  const hung = setTimeout(() => {
    throw new Error(`neither answered nor closed: ${JSON.stringify(told)}`);
  }, 20_000);
  const response = await client.response({ bodiless: bytes.includes('HEAD') });
  clearTimeout(hung);
  client.leave();
  if (response !== null) {
    expect(response.status, JSON.stringify(told)).toBeGreaterThanOrEqual(100);
    expect(response.status, JSON.stringify(told)).not.toBe(500);
  }
}

/** Tags that the gateway replaces by the number that they stand for at the script node. */
const PINNED: readonly (readonly [number: string, tag: string])[] = [['"0x64"', '"latest"'], ['"0x64"', '"pending"'], ['"0x44"', '"safe"'], ['"0x24"', '"finalized"']];
/** It adds the block where a call leaves it out. */
const asSent = (params: string): string[] => [params, params.replace(/,"0x64"\]$/, ']'), ...PINNED.map(([number, tag]) => params.replaceAll(number, tag))];

/** What was sent, without the frames of chunks: a call that is not in it was never sent. */
const unframed = ({ bytes }: Sent): string => bytes.replaceAll(/\r\n[0-9a-fA-F]+\r\n/g, '');

describe.each(ENGINES)(`mutated requests, engine %s: seed ${SEED}, ${RUNS} runs`, (engine) => {
  let node: ScriptNode;
  let gateway: TestGateway;

  beforeAll(async () => {
    node = await ScriptNode.start(() => ({ result: '"0x1"' }));
    // a call alone in its body can be compared byte by byte
    gateway = await testGateway([{ name: 'one', httpUrl: node.httpUrl, options: { batch: { enabled: false } } }], {
      engine,
      server: { bodyTimeoutMs: 300 },
      chain: { chainId: 1, routing: { hedge: { enabled: false } } },
    });
    await gateway.until(({ one }) => one?.state === 'serving');
  });
  afterAll(async () => {
    await gateway?.close();
    await node?.close();
  });

  it('are answered or end their connection, and reach a node only as sent', async () => {
    for (let from = 0; from < RUNS; from += WAVE) {
      const wave = Array.from({ length: Math.min(WAVE, RUNS - from) }, (_, k) => mutate(from + k));
      node.calls.length = 0;
      await Promise.all(wave.map((sent) => run(gateway, sent)));
      await untilQuiet(gateway);
      const sent = wave.flatMap((one) => [one.bytes, unframed(one)]);
      for (const { raw } of node.calls) {
        const params = raw.slice(raw.indexOf('"params":') + '"params":'.length, -1);
        const isSent = params === '[]' || asSent(params).some((one) => sent.some((text) => text.includes(one)));
        expect(isSent, `seeds ${SEED + from} and on: a call that nobody sent, ${raw}`).toBe(true);
      }
      expect(node.calls.length).toBeGreaterThan(0);
      await expectServes(gateway);
    }
  }, Math.max(60_000, RUNS * 200));
});
