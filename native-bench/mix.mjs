// What the cache is worth under a published mix of methods: hit ratio, calls that no node had to answer, processor time per call.
// Zipf 1.0 over 10,000 addresses, 2,000 transactions each polled to its receipt, a block every two seconds; once with the cache, once without.
//   node native-bench/mix.mjs [--mix FILE] [--seed N] [--seconds 20] [--clients 16] [--logs] [--out FILE]
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';
import { tidegate } from './peers.mjs';
import { accepts, cpuUs, end, freePort, run } from './procs.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const { values } = parseArgs({
  options: {
    mix: { type: 'string', default: here('../../shared/data/traffic-mix.json') },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
    seconds: { type: 'string', default: '20' },
    clients: { type: 'string', default: '16' },
    // cut log queries: each near the head asks for the blocks that it proves its answer by
    logs: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const ADDRESSES = 10_000;
const TRANSACTIONS = 2000;
const POLL_MS = 500;

/** The same seed gives the same calls (mulberry32). */
function seeded(seed) {
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
const digest = (text) => `0x${createHash('sha256').update(text).digest('hex')}`;
const { shares } = JSON.parse(readFileSync(values.mix, 'utf8')).blend;
const methods = Object.keys(shares).filter((name) => name !== 'eth_sendRawTransaction');
const methodSums = cumulated(methods.map((name) => shares[name]));
const zipfSums = cumulated(Array.from({ length: ADDRESSES }, (_, i) => 1 / (i + 1)));
const address = (n) => digest(`address ${n}`).slice(0, 42);
const hex = (n) => `0x${n.toString(16)}`;

/** Params of a call as a client would draw them. */
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

/** One run; the counts of clients, node and edge. */
async function measure(cache) {
  const nodePort = await freePort();
  const node = run(process.execPath, [here('mixNode.mjs'), String(nodePort)]);
  await accepts(nodePort, node);
  const edge = await tidegate(nodePort, 'uws', { name: cache ? 'mix-cached' : 'mix-plain', chain: { chainId: 1, cache: { enabled: cache, verifySample: cache ? 0.01 : 0 }, coalescing: { enabled: cache }, logs: { enabled: values.logs }, blockTimeMs: 2000 } });
  const agent = new Agent({ connections: Number(values.clients) * 2 });
  const random = seeded(Number(values.seed));
  const world = { head: 2000, hashes: [] };
  const told = { calls: 0, hit: 0, miss: 0, coalesced: 0, bypass: 0, errors: 0, byMethod: {} };
  const call = async (url, method, params, isCounted = true) => {
    const answer = await request(url, { dispatcher: agent, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
    const body = await answer.body.json();
    if (!isCounted) return body;
    const cached = answer.headers['x-tidegate-cache'] ?? 'bypass';
    told.calls++;
    told[cached]++;
    if (body.error !== undefined) told.errors++;
    told.byMethod[method] ??= { calls: 0, hit: 0 };
    const of = told.byMethod[method];
    of.calls++;
    if (cached === 'hit') of.hit++;
    return body;
  };
  const nodeUrl = `http://127.0.0.1:${nodePort}/`;
  const counts = async () => (await call(nodeUrl, 'bench_counts', [], false)).result;
  await call(edge.url, 'eth_getBalance', [address(0), 'latest']);
  const before = { node: (await counts()).calls, cpu: cpuUs(edge.pid), calls: told.calls };
  const endMs = performance.now() + Number(values.seconds) * 1000;
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const client = async () => {
    while (performance.now() < endMs) {
      const method = methods[draw(methodSums, random)];
      await call(edge.url, method, paramsOf(method, world, random));
      await wait(1);
    }
  };
  const poller = async (n) => {
    await wait((n / TRANSACTIONS) * Number(values.seconds) * 800);
    const { result: hash } = await call(edge.url, 'eth_sendRawTransaction', [digest(`raw ${n}`)]);
    while (performance.now() < endMs && (await call(edge.url, 'eth_getTransactionReceipt', [hash])).result === null) await wait(POLL_MS);
    world.hashes.push(hash);
  };
  const clock = setInterval(() => void call(nodeUrl, 'eth_blockNumber', [], false).then(({ result }) => (world.head = Number(result))), 500);
  await Promise.all([...Array.from({ length: Number(values.clients) }, client), ...Array.from({ length: TRANSACTIONS }, (_, n) => poller(n))]);
  clearInterval(clock);
  const after = { node: (await counts()).calls, cpu: cpuUs(edge.pid), calls: told.calls };
  const metrics = await (await fetch(`http://127.0.0.1:${edge.adminPort}/metrics`)).text();
  const sum = (name) => metrics.split('\n').filter((line) => line.startsWith(`tidegate_${name}{`)).reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  await agent.close();
  await end(edge.child);
  await end(node);
  const calls = after.calls - before.calls;
  return {
    calls, hitRatio: told.hit / told.calls, coalesced: told.coalesced, errors: told.errors, edgeUsPerCall: (after.cpu - before.cpu) / calls,
    node: { calls: after.node - before.node }, sideCalls: sum('cache_side_calls_total'), verified: sum('cache_verified_total'), differences: sum('cache_verify_differences_total'), byMethod: told.byMethod,
  };
}

console.log(`seed ${values.seed}, ${values.seconds} s, ${values.clients} clients, ${TRANSACTIONS} transactions`);
const runs = { cached: await measure(true), plain: await measure(false) };
for (const [name, r] of Object.entries(runs)) {
  console.log(`${name}: ${r.calls} calls, hit ratio ${(100 * r.hitRatio).toFixed(1)} %, node answered ${r.node.calls} (${r.sideCalls} for the cache itself), ${r.edgeUsPerCall.toFixed(1)} µs of the edge per call, ${r.coalesced} coalesced, ${r.errors} errors, ${r.verified} compared, ${r.differences} differences`);
}
const saved = 1 - runs.cached.node.calls / runs.cached.calls / (runs.plain.node.calls / runs.plain.calls);
console.log(`upstream calls saved: ${(100 * saved).toFixed(1)} %`);
for (const [method, { calls, hit }] of Object.entries(runs.cached.byMethod).sort(([, a], [, b]) => b.calls - a.calls).slice(0, 12)) console.log(`  ${method}: ${calls} calls, ${((100 * hit) / calls).toFixed(1)} % hits`);
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify({ seed: Number(values.seed), seconds: Number(values.seconds), saved, runs }, null, 1)}\n`);
