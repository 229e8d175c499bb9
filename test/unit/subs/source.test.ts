import { beforeEach, describe, expect, it } from 'vitest';
import { BloomMaker } from '../../../src/chain/evm/bloom.ts';
import { BlockSource } from '../../../src/subs/source.ts';
import type { Asked } from '../../../src/subs/want.ts';
import { sealOf } from '../../sim/subsChain.ts';
import { VirtualWorld } from '../../sim/world.ts';

const ADDRESS = `0x${'01'.repeat(20)}`;
const word = (n: number): string => `0x${String(n).repeat(64)}`;
const maker = new BloomMaker(100);

function bloomOf(items: readonly string[]): string {
  const bloom = Buffer.alloc(256);
  for (const item of items) for (const bit of maker.bits(item)) bloom[255 - (bit >> 3)]! |= 1 << (bit & 7);
  return `0x${bloom.toString('hex')}`;
}

/** A block with one log for each topic. */
function makeBlock(number: number, topics: readonly number[]) {
  const fields: Record<string, unknown> = { number: `0x${number.toString(16)}`, parentHash: word(9), logsBloom: bloomOf(topics.flatMap((n) => [ADDRESS, word(n)])), transactions: ['0x1'], size: '0x2' };
  const hash = sealOf(fields);
  const logs = topics.map((n, i) => ({ address: ADDRESS, topics: [word(n)], blockHash: hash, blockNumber: fields['number'], logIndex: `0x${i.toString(16)}` }));
  const header: Record<string, unknown> = { ...fields, hash };
  return { hash, number, header, logs, receipts: [{ blockHash: hash, logs }] };
}

let world: VirtualWorld;
let asked: (Asked & { readonly node: number; readonly token: number })[];
let events: string[];
let nodes: number[];
let source: BlockSource;
/** What whoever waits does when told to look again. */
let onReady: () => void;

beforeEach(() => {
  world = new VirtualWorld();
  asked = [];
  events = [];
  nodes = [0, 1];
  onReady = () => undefined;
  source = open(true);
});

function open(trustBloom: boolean): BlockSource {
  return new BlockSource({ hedgeMs: 250, restMs: { baseMs: 50, maxMs: 1000 }, settleMs: 2000, maxHeaders: 20, maxLogs: 4, trustBloom }, {
    nodesFor: () => nodes,
    ask: (token, node, question) => asked.push({ ...question, node, token }),
    nowMs: () => world.nowMs,
    after: (delayMs, run) => world.after(delayMs, run),
    headerHash: sealOf,
    ready: () => {
      events.push('ready');
      onReady();
    },
    refused: (node, { kind }, why) => events.push(`${kind} of ${node} ${why}`),
    failedOver: () => events.push('failed over'),
    unsettled: ({ number }) => events.push(`unsettled ${number}`),
  });
}

/** The newest question, put to this node. */
const question = (kind: Asked['kind'], node: number): number => {
  const last = asked.at(-1);
  expect([last?.kind, last?.node]).toEqual([kind, node]);
  return last?.token ?? -1;
};

const block = makeBlock(12, [1, 2]);

/** The header of `block`, fetched. */
function fetched() {
  source.header(block.hash, 12);
  source.onAnswer(question('header', 0), block.header, world.nowMs);
  const header = source.header(block.hash, 12);
  if (header === null) throw new Error('no header');
  events = [];
  return header;
}

describe('headers', () => {
  it('are asked for once, and come without the body', () => {
    expect(source.header(block.hash, 12)).toBeNull();
    expect(source.header(block.hash, 12)).toBeNull();
    expect(asked).toHaveLength(1);
    source.onAnswer(question('header', 0), block.header, 0);
    expect(events).toEqual(['ready']);
    expect(source.header(block.hash, 12)).toMatchObject({ number: 12, hash: block.hash, parentHash: word(9) });
    expect(JSON.parse(source.header(block.hash, 12)?.raw ?? '')).toEqual({ number: '0xc', parentHash: word(9), logsBloom: block.header['logsBloom'], hash: block.hash });
  });

  it('go to the next node when one lacks the block, fails, or is silent, and are asked for anew after a rest', () => {
    source.header(block.hash, 12);
    source.onAnswer(question('header', 0), null, 0);
    source.onFailure(question('header', 1), 0);
    expect(asked).toHaveLength(2);
    onReady = () => void source.header(block.hash, 12);
    world.run(49);
    expect(asked).toHaveLength(2);
    world.run(50);
    expect(asked).toHaveLength(3);
    source.onAnswer(question('header', 0), block.header, 50);
    expect(source.header(block.hash, 12)).not.toBeNull();
    expect(events).toEqual(['header of 0 absent', 'ready', 'failed over', 'ready']);
  });

  it('that nobody waits for any more are not asked for again', () => {
    source.header(block.hash, 12);
    source.onAnswer(question('header', 0), null, 0);
    source.onAnswer(question('header', 1), null, 0);
    world.run(5000);
    expect(asked).toHaveLength(2);
  });

  it('are asked of another node while the first is silent; the first good answer counts, the other is ignored', () => {
    source.header(block.hash, 12);
    const first = question('header', 0);
    world.run(250);
    source.onAnswer(question('header', 1), block.header, 250);
    expect(events).toEqual(['failed over', 'ready']);
    source.onAnswer(first, null, 260);
    expect(events).toHaveLength(2);
  });

  it('must make their own hash, once one did', () => {
    fetched();
    const next = makeBlock(13, []);
    source.header(next.hash, 13);
    source.onAnswer(question('header', 0), { ...next.header, parentHash: word(8) }, 0);
    expect(events).toEqual(['header of 0 doubtful']);
    source.onAnswer(question('header', 1), next.header, 0);
    expect(source.header(next.hash, 13)?.parentHash).toBe(word(9));
  });

  it('are taken as told where nobody has one that makes its hash', () => {
    const odd = { ...block.header, salt: 'of another fork' };
    source.header(block.hash, 12);
    source.onAnswer(question('header', 0), odd, 0);
    source.onAnswer(question('header', 1), odd, 0);
    expect(source.header(block.hash, 12)).not.toBeNull();
    const next = makeBlock(13, []);
    source.header(next.hash, 13);
    source.onAnswer(question('header', 0), { ...next.header, salt: 'too' }, 0);
    expect(source.header(next.hash, 13)).not.toBeNull();
    // one that was sent unasked is as good, but nothing that stays
    const third = makeBlock(14, []);
    expect(source.offer({ ...third.header, salt: 'three' })?.number).toBe(14);
    expect(source.header(third.hash, 14)).toBeNull();
  });

  it('of another height or block are refused', () => {
    source.header(block.hash, 11);
    source.onAnswer(question('header', 0), block.header, 0);
    source.onAnswer(question('header', 1), { nonsense: true }, 0);
    expect(events).toEqual(['header of 0 malformed', 'header of 1 malformed']);
  });

  it('that a node sent unasked are used when they make their hash', () => {
    expect(source.offer(block.header)).toBeNull();
    fetched();
    const next = makeBlock(13, []);
    expect(source.offer({ ...next.header, parentHash: word(7) })).toBeNull();
    expect(source.offer(next.header)?.number).toBe(13);
    expect(source.header(next.hash, 13)).not.toBeNull();
    expect(asked).toHaveLength(1);
  });
});

describe('logs', () => {
  it('that make the bloom and are numbered without a gap are taken, in order', () => {
    const header = fetched();
    expect(source.logs(header)).toBeNull();
    source.onAnswer(question('logs', 0), block.logs.toReversed(), 0);
    expect(source.logs(header)?.map(({ index }) => index)).toEqual([0, 1]);
    expect(JSON.parse(source.logs(header)?.[0]?.raw ?? '')).toMatchObject({ logIndex: '0x0', removed: false });
  });

  it('of a late index are asked elsewhere', () => {
    const header = fetched();
    source.logs(header);
    source.onAnswer(question('logs', 0), [], 0);
    expect(source.logs(header)).toBeNull();
    source.onAnswer(question('logs', 1), block.logs, 0);
    expect(source.logs(header)).toHaveLength(2);
  });

  it('are settled by the receipts when no index has them', () => {
    const header = fetched();
    source.logs(header);
    source.onAnswer(question('logs', 0), [], 0);
    source.onAnswer(question('logs', 1), block.logs.slice(1), 0);
    source.onAnswer(question('receipts', 0), block.receipts, 0);
    expect(source.logs(header)).toHaveLength(2);
  });

  it.each([
    ['of another block', [{ ...block.logs[0], blockHash: word(5) }]],
    ['of another height', [{ ...block.logs[0], blockNumber: '0x1' }]],
    ['no list', { logs: [] }],
    ['without topics', [{ ...block.logs[0], topics: null }]],
  ])('%s are refused', (_what, answer) => {
    source.logs(fetched());
    source.onAnswer(question('logs', 0), answer, 0);
    expect(events).toEqual(['logs of 0 malformed']);
  });

  it('beyond the bloom are taken when two words agree, one of them receipts; fewer than the bloom never are', () => {
    const header = fetched();
    const more = [...block.logs, { ...block.logs[0], topics: [word(5)], logIndex: '0x2' }];
    source.logs(header);
    source.onAnswer(question('logs', 0), more, 0);
    source.onAnswer(question('logs', 1), more, 0);
    expect(source.logs(header)).toBeNull();
    source.onAnswer(question('receipts', 0), [{ blockHash: block.hash, logs: more }], 0);
    expect(source.logs(header)).toHaveLength(3);
  });

  it('that nobody has whole are taken after a time as they are, with a word', () => {
    const header = fetched();
    source.logs(header);
    source.onAnswer(question('logs', 0), [], 0);
    source.onAnswer(question('logs', 1), [block.logs[0]], 0);
    source.onAnswer(question('receipts', 0), [{ blockHash: block.hash, logs: [] }], 0);
    source.onAnswer(question('receipts', 1), [{ blockHash: block.hash, logs: [] }], 0);
    expect(source.logs(header)).toBeNull();
    onReady = () => void source.logs(header);
    world.run(50);
    world.nowMs = 2000;
    source.onAnswer(question('logs', 0), [], 2000);
    expect(events).toContain('unsettled 12');
    expect(source.logs(header)).toHaveLength(1);
  });

  it('without a bloom to go by need two words', () => {
    source = open(false);
    const header = fetched();
    expect(header.bloom).toBeNull();
    source.logs(header);
    source.onAnswer(question('logs', 0), block.logs, 0);
    source.onAnswer(question('logs', 1), block.logs, 0);
    expect(source.logs(header)).toBeNull();
    source.onAnswer(question('receipts', 0), block.receipts, 0);
    expect(source.logs(header)).toHaveLength(2);
  });
});
