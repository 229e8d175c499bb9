import { expect, it } from 'vitest';
import { SharedSends } from '../../../src/gateway/sharedSends.ts';
import type { SharedSend } from '../../../src/gateway/sharedSends.ts';

const send = (nonce: number, leftMs = 1000): SharedSend => ({ nonce, hash: `0x${nonce}`, node: 1, leftMs });

const world = (): { shared: SharedSends; clock: { ms: number } } => {
  const clock = { ms: 0 };
  return { shared: new SharedSends({ nowMs: () => clock.ms } as never), clock };
};

it('what one process has sent another one is told, until it is forgotten', () => {
  const { shared, clock } = world();
  const [one, two] = [shared.join(), shared.join()];
  const told: unknown[] = [];
  one.onSending('0x7');
  one.onSender('0x7', 'a', send(7));
  two.lastOf('a', (last) => told.push(last));
  two.lastOf('b', (last) => told.push(last));
  clock.ms = 999;
  two.lastOf('a', (last) => told.push(last?.leftMs));
  clock.ms = 1000;
  two.lastOf('a', (last) => told.push(last));
  expect(told).toEqual([send(7), null, 1, null]);
});

it('who asks while senders are looked up waits for those that were under way, in vain or not', () => {
  const { shared } = world();
  const [one, two] = [shared.join(), shared.join()];
  const told: unknown[] = [];
  one.onSending('0x1');
  two.onSending('0x1');
  two.lastOf('a', (last) => told.push(last?.nonce));
  one.onSending('0x3');
  one.onSender('0x1', '', null);
  expect(told).toEqual([]);
  two.onSender('0x1', 'a', send(1));
  expect(told).toEqual([1]);
});

it('a process that dies keeps nobody waiting', () => {
  const { shared } = world();
  const [one, two] = [shared.join(), shared.join()];
  const told: unknown[] = [];
  one.onSending('0x1');
  two.lastOf('a', (last) => told.push(last));
  one.leave();
  expect(told).toEqual([null]);
});

it('a transaction that is gone is forgotten, unless a newer one has come', () => {
  const { shared } = world();
  const one = shared.join();
  const told: unknown[] = [];
  one.onSender('0x2', 'a', send(2));
  one.onGone('a', '0x1');
  one.lastOf('a', (last) => told.push(last?.nonce));
  one.onGone('a', '0x2');
  one.lastOf('a', (last) => told.push(last?.nonce));
  expect(told).toEqual([2, undefined]);
});
