// What ranking the nodes costs a call, in ns of processor time.
//   node native-bench/rank.mjs        (after npm run build)
import { hashString, mix32 } from '../dist/base/hash.js';
import { LoadBook } from '../dist/route/loadBook.js';
import { Ranker } from '../dist/route/rank.js';

const ROUNDS = 7;
const CALLS = 200_000;

const method = { name: 'eth_call', index: 0, class: 'read', capability: null };

function tableOf(count) {
  const entries = Array.from({ length: count }, (_, index) => ({
    index,
    name: `node-${index}`,
    seed: hashString(`node-${index}`),
    state: 'serving',
    tier: 0,
    weight: 100 - (index % 3) * 20,
    headNumber: 100,
    headHash: '0x',
    lacks: 0,
    lowestState: 0,
    denied: null,
    heldUntilMs: 0,
    maxInFlight: 256,
    attemptTimeoutMs: 500,
    hedgeDelayMs: 20,
  }));
  return { version: 1, chain: 'bench', entries, serving: entries.map((entry) => entry.index) };
}

function nsPerRank(count) {
  const table = tableOf(count);
  const book = new LoadBook(count);
  for (let i = 0; i < 3 * count; i++) book.sent(mix32(i) % count, 0);
  const ranker = new Ranker(book, 0.25);
  const ask = { keyHash: 0, affine: true, nowMs: 0, requiredBlock: -1, stateBlock: -1 };
  const out = new Int32Array(count);
  const times = [];
  let sum = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    for (let call = 0; call < CALLS; call++) {
      ask.keyHash = mix32(call);
      ranker.rank(table, method, ask, out);
      sum += out[0];
    }
    times.push((process.cpuUsage(start).user * 1000) / CALLS);
  }
  if (sum < 0) throw new Error('unreachable: keeps the loop alive');
  return times.sort((a, b) => a - b)[ROUNDS >> 1];
}

console.log('upstreams  ns/rank (median of 7)');
for (const count of [3, 10, 50])
  console.log(`${String(count).padStart(9)}  ${nsPerRank(count).toFixed(0).padStart(7)}`);
