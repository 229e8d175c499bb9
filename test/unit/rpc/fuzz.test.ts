import { isUtf8 } from 'node:buffer';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import type { Random } from '../../../src/base/random.ts';
import { errorEnvelope, requestEnvelope } from '../../../src/rpc/envelope.ts';
import { splitBatchReply, splitReply } from '../../../src/rpc/reply.ts';
import { scanBody } from '../../../src/rpc/scan.ts';
import type { ScannedBody, ScannedCall } from '../../../src/rpc/scan.ts';

/**
 * Bodies of the corpus, whole and mutated. A file's name begins with what it must come to: `ok` or `refuse<code>`.
 * A run is repeated by its seed: `FUZZ_SEED=n FUZZ_RUNS=m`. A body that once failed is kept as a file.
 */
const CORPUS = new URL('./corpus/', import.meta.url);
const LIMITS = { maxDepth: 64, maxBatchItems: 100, maxMethodBytes: 128 };
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 4000);

const files = readdirSync(CORPUS).sort().map((name) => ({ name, body: readFileSync(new URL(name, CORPUS)) }));
const SPICE = ['"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', 'e', '.', ' ', '\n', '\u0000', '\u001f', '\u007f', 'null', '"id":1,', '"ID":2,', '"method":"x",', '\\u0069', '\ud83d', '[[[[[[[[', '"\u017f"'];

function mutate(body: Buffer, random: Random): Buffer {
  const pick = (limit: number): number => Math.floor(random() * limit);
  let bytes = body;
  for (let times = 1 + pick(3); times > 0; times--) {
    const at = pick(bytes.length + 1);
    const end = Math.min(bytes.length, at + pick(8));
    const spice = Buffer.from(SPICE[pick(SPICE.length)] ?? '');
    const other = files[pick(files.length)]?.body ?? body;
    const kinds = [
      () => Buffer.concat([bytes.subarray(0, at), spice, bytes.subarray(at)]),
      () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]),
      () => Buffer.concat([bytes.subarray(0, at), Buffer.from([pick(256)]), bytes.subarray(at + 1)]),
      () => bytes.subarray(0, at),
      () => Buffer.concat([bytes.subarray(0, at), other.subarray(pick(other.length))]),
      () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at - pick(at + 1), end), bytes.subarray(at)]),
    ];
    bytes = kinds[pick(kinds.length)]?.() ?? bytes;
  }
  return bytes;
}

/** The parsed text, or undefined where it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Holds what was scanned against what JSON.parse makes of the same text. */
function check(body: Buffer, scanned: ScannedBody): void {
  const value = isUtf8(body) ? parsed(body.toString('utf8')) : undefined;
  if (scanned.kind === 'fault') {
    if (scanned.fault.spec.kind === 'parse') expect(value).toBeUndefined();
    else if (scanned.fault.spec.code === -32600) expect(value).toBeDefined();
    expect(parsed(errorEnvelope(scanned.idRaw, scanned.fault).toString('utf8'))).toBeDefined();
    return;
  }
  const calls: readonly ScannedCall[] = scanned.kind === 'single' ? [scanned.call] : scanned.calls;
  const entries = (scanned.kind === 'single' ? [value] : value) as Record<string, unknown>[];
  expect(calls.length).toBe(entries.length);
  calls.forEach((call, k) => {
    if (call.fault !== null) return;
    const sent = JSON.parse(Buffer.from(requestEnvelope(1, call.method, call.paramsRaw), 'latin1').toString('utf8'));
    const id = call.idRaw === null ? undefined : JSON.parse(Buffer.from(call.idRaw, 'latin1').toString('utf8'));
    const entry = entries[k];
    expect({ method: sent.method, params: sent.params, id }).toEqual({ method: entry?.['method'], params: entry?.['params'] ?? [], id: entry?.['id'] });
  });
}

describe('the corpus', () => {
  it.each(files)('$name', ({ name, body }) => {
    const scanned = scanBody(body, LIMITS);
    check(body, scanned);
    const verdict = scanned.kind === 'fault' ? `refuse${scanned.fault.spec.code}` : 'ok';
    expect(name.startsWith(`${verdict}-`)).toBe(true);
  });
});

describe('mutations of the corpus', () => {
  it(`are read as JSON.parse reads them: seed ${SEED}, ${RUNS} runs`, () => {
    for (let run = 0; run < RUNS; run++) {
      const random = seededRandom(SEED + run);
      const file = files[run % files.length];
      const body = mutate(file?.body ?? Buffer.alloc(0), random);
      try {
        check(body, scanBody(body, LIMITS));
      } catch (cause) {
        throw new Error(`seed ${SEED + run}: ${JSON.stringify(body.toString('latin1'))}`, { cause });
      }
    }
  });

  it('as answers of a node are split or bad, and the span of a result is JSON', () => {
    const seeds = ['{"jsonrpc":"2.0","id":1,"result":{"a":["x\\n",1.5,null]}}\n', '{"id":2,"error":{"code":-32000,"message":"é","data":"0x"},"result":null}', '[{"id":1,"result":"0x1"},{"id":2,"error":null,"result":[]}]'];
    for (let run = 0; run < RUNS; run++) {
      const body = mutate(Buffer.from(seeds[run % seeds.length] ?? ''), seededRandom(SEED + run));
      const told = splitBatchReply(body);
      const text = parsed(body.toString('latin1'));
      for (const reply of [splitReply(body), ...('kind' in told ? [told] : told)]) {
        if (reply.kind === 'bad') continue;
        expect(text, body.toString('latin1')).toBeDefined();
        expect(parsed(body.toString('latin1', reply.start, reply.end))).toBeDefined();
      }
    }
  });
});
