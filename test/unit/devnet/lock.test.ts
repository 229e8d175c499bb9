import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFile } from '../../../src/devnet/lock.ts';
import { Mutex, Signal } from '../../../src/devnet/signal.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'devnet-lock-'));
  path = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a lock file', () => {
  it('is held by one at a time', () => {
    const lock = lockFile(path);
    expect(() => lockFile(path)).toThrow(`held by process ${process.pid}`);
    lock.release();
    expect(existsSync(path)).toBe(false);
    lockFile(path).release();
  });

  // Process ids end below 2^22 on Linux.
  it.each(['99999999', '', 'not a pid', '-1', '0'])('is taken over where its owner is gone or unreadable: %j', (owner) => {
    writeFileSync(path, owner);
    lockFile(path).release();
  });
});

describe('a mutex', () => {
  it('runs one after the other in the order asked, past failures', async () => {
    const mutex = new Mutex();
    const order: number[] = [];
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const first = mutex.run(() => gate.then(() => order.push(1)));
    const second = mutex.run(() => Promise.reject(new Error('second')));
    const third = mutex.run(async () => order.push(3));
    order.push(0);
    open();
    await expect(second).rejects.toThrow('second');
    await Promise.all([first, third]);
    expect(order).toEqual([0, 1, 3]);
  });
});

describe('a signal', () => {
  it('wakes a sleeper, keeps a wake that came before, and no more than one', async () => {
    const signal = new Signal();
    const slept = signal.sleep(60_000);
    signal.wake();
    await slept;
    signal.wake();
    signal.wake();
    await signal.sleep(60_000);
    let over = false;
    const third = signal.sleep(60_000).then(() => {
      over = true;
    });
    await Promise.resolve();
    expect(over).toBe(false);
    signal.wake();
    await third;
  });

  it('ends by itself when the time is over', async () => {
    await new Signal().sleep(1);
  });
});
