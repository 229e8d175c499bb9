import { beforeEach, describe, expect, it } from 'vitest';
import type { BlockHeader } from '../../../src/subs/header.ts';
import { BlockLine } from '../../../src/subs/line.ts';

const header = (number: number, branch = 'a', since = 0): BlockHeader => {
  const name = (n: number): string => `${n < since ? 'a' : branch}${n}`;
  return { number, hash: name(number), parentHash: name(number - 1), bloom: null, raw: '' };
};

let told: string[];
let known: Map<string, BlockHeader>;
let bodies: Set<string>;
let line: BlockLine<true, string>;

beforeEach(() => {
  told = [];
  known = new Map();
  bodies = new Set();
  line = new BlockLine({ windowBlocks: 8, prefetch: 2 }, {
    header: (hash) => known.get(hash) ?? null,
    body: ({ hash }) => bodies.has(hash) || null,
    added: ({ hash }) => {
      told.push(`+${hash}`);
      return hash;
    },
    removed: ({ hash }) => told.push(`-${hash}`),
    lost: ({ kind, from, to }) => told.push(`${kind} ${from}..${to}`),
  });
  line.seed(10, ['a8', 'a9', 'a10']);
});

const learn = (...headers: readonly BlockHeader[]): void => {
  for (const one of headers) {
    known.set(one.hash, one);
    bodies.add(one.hash);
  }
};

describe('a line of blocks', () => {
  it('tells of every block between, parents first, as soon as all are known', () => {
    learn(header(11), header(13));
    line.aim(13, 'a13');
    expect(told).toEqual([]);
    learn(header(12));
    line.pump();
    expect(told).toEqual(['+a11', '+a12', '+a13']);
    expect(line.idle).toBe(true);
    line.aim(13, 'a13');
    expect(told).toHaveLength(3);
  });

  it('waits for a body without passing it by', () => {
    learn(header(11), header(12));
    bodies.delete('a11');
    line.aim(12, 'a12');
    expect(told).toEqual([]);
    bodies.add('a11');
    line.pump();
    expect(told).toEqual(['+a11', '+a12']);
  });

  it('takes back what it told, newest first, together with the first block that replaces it', () => {
    learn(header(11), header(12), header(11, 'b', 11), header(12, 'b', 11), header(13, 'b', 11));
    line.aim(12, 'a12');
    bodies.delete('b11');
    told = [];
    line.aim(13, 'b13');
    expect(told).toEqual([]);
    bodies.add('b11');
    line.pump();
    expect(told).toEqual(['-a12', '-a11', '+b11', '+b12', '+b13']);
  });

  it('tells of new blocks below where it began, and takes back none that nobody was told of', () => {
    learn(header(9, 'b', 9), header(10, 'b', 9), header(11, 'b', 9));
    line.aim(11, 'b11');
    expect(told).toEqual(['+b9', '+b10', '+b11']);
  });

  it('takes nothing back when the head only falls', () => {
    learn(header(11), header(12));
    line.aim(11, 'a11');
    line.aim(10, 'a10');
    line.aim(12, 'a12');
    expect(told).toEqual(['+a11', '+a12']);
  });

  it('changes its mind without a word while nothing of the other branch was told', () => {
    learn(header(11), header(12), header(12, 'b', 12));
    bodies.delete('b12');
    line.aim(11, 'a11');
    line.aim(12, 'b12');
    line.aim(12, 'a12');
    expect(told).toEqual(['+a11', '+a12']);
  });

  it('says what it leaves out when the gap is longer than its window, and goes on', () => {
    learn(header(25), header(26));
    line.aim(25, 'a25');
    line.aim(26, 'a26');
    expect(told).toEqual(['gap 11..24', '+a25', '+a26']);
  });

  it('says so when a reorg goes below what it remembers, and takes back all that it told', () => {
    learn(header(11), ...[7, 8, 9, 10, 11, 12].map((n) => header(n, 'b', 5)));
    line.aim(11, 'a11');
    line.aim(12, 'b12');
    expect(told).toEqual(['+a11', '-a11', 'reorg 0..7', '+b8', '+b9', '+b10', '+b11', '+b12']);
  });

  it('tells early of a child of its head, once, and replaces it when another is trusted', () => {
    learn(header(11), header(12), header(11, 'b', 11), header(12, 'b', 11));
    expect(line.race(header(12), true)).toBe(false);
    expect(line.race(header(11), true)).toBe(true);
    expect(line.race(header(11), true)).toBe(false);
    line.aim(11, 'a11');
    expect(told).toEqual(['+a11']);
    line.race(header(12), true);
    line.aim(12, 'b12');
    expect(told).toEqual(['+a11', '+a12', '-a12', '-a11', '+b11', '+b12']);
  });

  it('begins above the first head that it hears of', () => {
    line.seed(-1, []);
    learn(header(20), header(21));
    line.aim(20, 'a20');
    line.aim(21, 'a21');
    expect(told).toEqual(['+a21']);
  });
});
