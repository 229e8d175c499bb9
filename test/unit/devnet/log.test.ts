import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlockLog } from '../../../src/devnet/log.ts';
import { type BlockRecord, decodeLine, encodeLine, type LogHeader } from '../../../src/devnet/record.ts';

const header: LogHeader = { format: 1, chainId: 31337, genesisTimestamp: 1_700_000_000, hardfork: 'prague', genesisHash: '0xg' };
const block = (number: number, hash = `0x${number}`): BlockRecord => ({
  number,
  timestamp: header.genesisTimestamp + number,
  hash,
  builder: 'anvil-1',
  transactions: number % 2 === 0 ? [] : [{ hash: `0xt${number}`, raw: `0x02${'ab'.repeat(number)}` }],
});

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'devnet-log-'));
  path = join(folder, 'chain.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function fill(blocks: number): void {
  const log = BlockLog.create(path, header);
  for (let number = 1; number <= blocks; number++) log.append(block(number));
  log.close();
}

function reopened(): BlockLog {
  const log = BlockLog.open(path);
  if (log === null) throw new Error('no log');
  return log;
}

describe('a block log', () => {
  it('is absent until created', () => {
    expect(BlockLog.open(path)).toBeNull();
  });

  it('gives back after reopening what was appended, and goes on from there', () => {
    fill(5);
    const log = reopened();
    expect(log.header).toEqual(header);
    expect(log.tip).toBe(5);
    expect([1, 2, 3, 4, 5].map((number) => log.read(number))).toEqual([1, 2, 3, 4, 5].map((number) => block(number)));
    expect(log.hashOf(0)).toBe('0xg');
    expect(log.timestampOf(4)).toBe(header.genesisTimestamp + 4);
    log.append(block(6));
    log.close();
    const again = reopened();
    expect(again.read(6)).toEqual(block(6));
    again.close();
  });

  it.each(['deadbeef {"type":"blo', 'deadbeef {"type":"block"}\n', '\0\0\0\0'])('cuts off a torn last line: %j', (torn) => {
    fill(3);
    const whole = readFileSync(path);
    appendFileSync(path, torn);
    const log = reopened();
    expect(log.tip).toBe(3);
    expect(readFileSync(path)).toEqual(whole);
    log.append(block(4));
    expect(log.read(4)).toEqual(block(4));
    log.close();
    const again = reopened();
    expect(again.tip).toBe(4);
    again.close();
  });

  it('survives a tear at every byte of the last line', () => {
    fill(3);
    const whole = readFileSync(path);
    const lastStart = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
    for (let end = lastStart; end < whole.length; end++) {
      writeFileSync(path, whole.subarray(0, end));
      const log = reopened();
      expect(log.tip).toBe(2);
      log.close();
    }
  });

  it('refuses damage before the last line, naming the file and the line', () => {
    fill(3);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace('"0xt1"', '"0xt9"'));
    expect(() => BlockLog.open(path)).toThrow(`${path}: line 2 is damaged`);
  });

  it('refuses a block out of sequence', () => {
    const log = BlockLog.create(path, header);
    expect(() => log.append(block(2))).toThrow('block 2 cannot follow block 0');
    log.append(block(1));
    expect(() => log.append(block(1))).toThrow(RangeError);
    expect(() => log.read(2)).toThrow('block 2 is not in the log (tip 1)');
    log.close();
  });

  it('voids blocks by a cut that survives reopening', () => {
    const log = BlockLog.create(path, header);
    for (let number = 1; number <= 4; number++) log.append(block(number));
    log.cut(3);
    expect(log.tip).toBe(2);
    log.append(block(3, '0xother'));
    log.close();
    const again = reopened();
    expect(again.tip).toBe(3);
    expect(again.read(3)).toEqual(block(3, '0xother'));
    expect(() => again.cut(9)).toThrow(RangeError);
    again.close();
  });

  it('refuses a block when full, and is not gone on with', () => {
    const limits = { maxBlocks: 2, maxBytes: 1 << 20 };
    const log = BlockLog.create(path, header, limits);
    log.append(block(1));
    log.append(block(2));
    expect(log.full).toBe(true);
    expect(() => log.append(block(3))).toThrow('the log is full (2 blocks');
    log.close();
    expect(BlockLog.open(path, limits)).toBeNull();
  });

  it('keeps the log before it as .1 when a new one is created', () => {
    fill(3);
    const old = readFileSync(path);
    BlockLog.create(path, header).close();
    expect(readFileSync(`${path}.1`)).toEqual(old);
    expect(existsSync(path)).toBe(true);
  });
});

describe('a line', () => {
  it('is refused with any one character changed', () => {
    const line = encodeLine({ type: 'block', block: block(1) }).trimEnd();
    expect(decodeLine(line)).toEqual({ type: 'block', block: block(1) });
    for (let at = 0; at < line.length; at++) {
      const changed = `${line.slice(0, at)}${line.charAt(at) === '~' ? '!' : '~'}${line.slice(at + 1)}`;
      expect(decodeLine(changed)).toBeNull();
    }
  });
});
