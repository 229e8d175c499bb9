// Calls as a client of a published mix of methods would draw them, the same for the same seed.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const ADDRESSES = 10_000;

/** mulberry32 */
export function seeded(seed) {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const cumulated = (weights) => {
  let sum = 0;
  return weights.map((weight) => (sum += weight));
};
const draw = (sums, random) => {
  const at = random() * sums.at(-1);
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] > at) high = middle;
    else low = middle + 1;
  }
  return low;
};

export const digest = (text) => `0x${createHash('sha256').update(text).digest('hex')}`;

const { shares } = JSON.parse(readFileSync(new URL('mix.json', import.meta.url), 'utf8'));
/** Sent in a way of their own, refused by the gateway, or of use only with a filter made before. */
const LEFT_OUT = new Set(['eth_sendRawTransaction', 'eth_accounts', 'eth_getFilterChanges']);
const methods = Object.keys(shares).filter((name) => !LEFT_OUT.has(name));
const methodSums = cumulated(methods.map((name) => shares[name]));
const zipfSums = cumulated(Array.from({ length: ADDRESSES }, (_, i) => 1 / (i + 1)));
const address = (n) => digest(`address ${n}`).slice(0, 42);
const hex = (n) => `0x${n.toString(16)}`;

/** Params of a call: Zipf 1.0 over the addresses, recent blocks and transactions more often. @param world { head, hashes } */
function paramsOf(method, world, random) {
  const who = address(draw(zipfSums, random));
  const back = Math.min(500, Math.floor(random() ** 3 * 500));
  const hash = world.hashes.length === 0 ? digest('none') : world.hashes[Math.floor(random() ** 2 * world.hashes.length)];
  switch (method) {
    case 'eth_call': return [{ to: who, data: '0x70a08231000000000000000000000000d8da6bf26964af9d7eed9e03e53415d37aa96045' }, 'latest'];
    case 'eth_getBalance': case 'eth_getTransactionCount': case 'eth_getCode': return [who, 'latest'];
    case 'eth_getBlockByNumber': return [random() < 0.5 ? 'latest' : hex(world.head - back), false];
    case 'eth_getBlockByHash': return [digest(`block ${world.head - back}`), false];
    case 'eth_getLogs': return [{ fromBlock: hex(world.head - back), toBlock: 'latest', address: who }];
    case 'eth_getTransactionReceipt': case 'eth_getTransactionByHash': case 'debug_traceTransaction': case 'trace_transaction': return [hash];
    case 'eth_getBlockReceipts': case 'trace_block': return [hex(world.head - back)];
    case 'debug_traceBlockByNumber': return [hex(world.head - back), {}];
    case 'eth_estimateGas': return [{ to: who }];
    case 'eth_getStorageAt': return [who, '0x0', 'latest'];
    default: return [];
  }
}

/** @returns { method, params } of the next call */
export function nextCall(world, random) {
  const method = methods[draw(methodSums, random)];
  return { method, params: paramsOf(method, world, random) };
}
