// Calls to nodes that stored intervals save an indexer, and what a large answer takes in memory.
//   node native-bench/logs.mjs [--window 200] [--step 20] [--steps 150] [--limit 50] [--large-mb 21]
// The indexer reads a window of blocks again and again, moved on by a step each time, for three contracts.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { tidegate } from './peers.mjs';
import { end, rssKib } from './procs.mjs';

const { values } = parseArgs({
  options: {
    window: { type: 'string', default: '200' },
    step: { type: 'string', default: '20' },
    steps: { type: 'string', default: '150' },
    limit: { type: 'string', default: '50' },
    'large-mb': { type: 'string', default: '21' },
  },
});
const [window, step, steps, limit, largeMb] = [values.window, values.step, values.steps, values.limit, values['large-mb']].map(Number);
const HEAD = window + step * steps + 200;
const hex = (number) => `0x${number.toString(16)}`;
const word = (number) => `0x${number.toString(16).padStart(64, '0')}`;
const CONTRACTS = [1, 2, 3].map((n) => `0x${n.toString(16).padStart(40, '0')}`);
const LARGE = `0x${'f'.repeat(40)}`;
let asked = 0;
let askedBlocks = 0;

const block = (number) => ({ number: hex(number), hash: word(number), parentHash: word(number - 1), timestamp: hex(1_700_000_000 + number), logsBloom: `0x${'00'.repeat(256)}` });
const log = (number, address, data) => ({ address, topics: [], data, blockNumber: hex(number), blockHash: word(number), transactionHash: word(number), transactionIndex: '0x0', logIndex: '0x0', removed: false });

function logs({ fromBlock, toBlock, address }) {
  const [from, to] = [Number(fromBlock), Number(toBlock)];
  asked++;
  askedBlocks += to - from + 1;
  const data = `0x${'ab'.repeat(address?.[0] === LARGE ? (largeMb * 5e5) / window : 100)}`;
  return Array.from({ length: to - from + 1 }, (_, i) => log(from + i, address?.[0] ?? CONTRACTS[0], data));
}

function answer({ id, method, params = [] }) {
  const tags = { latest: HEAD, finalized: HEAD - 64, safe: HEAD - 32 };
  if (method === 'eth_getLogs' && Number(params[0].toBlock) - Number(params[0].fromBlock) >= limit) {
    return { jsonrpc: '2.0', id, error: { code: -32602, message: `query exceeds max block range ${limit}` } };
  }
  const results = {
    eth_chainId: () => '0x1',
    eth_syncing: () => false,
    net_peerCount: () => '0x8',
    eth_getBlockByNumber: () => block(tags[params[0]] ?? Number(params[0])),
    eth_getBlockByHash: () => block(Number(params[0])),
    eth_getLogs: () => logs(params[0]),
  };
  return { jsonrpc: '2.0', id, result: results[method]?.() ?? null };
}

const node = createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    // no WebSocket here
    if (request.method !== 'POST') return response.writeHead(404).end();
    const body = JSON.parse(Buffer.concat(pieces).toString());
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(Array.isArray(body) ? body.map(answer) : answer(body)));
  });
});
await new Promise((resolve) => node.listen(0, '127.0.0.1', resolve));
const { port } = node.address();

async function query(url, from, to, address) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_getLogs', params: [{ fromBlock: hex(from), toBlock: hex(to), address }] });
  const text = await (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).text();
  if (!text.includes('"result":[{')) throw new Error(`no logs: ${text.slice(0, 300)}`);
  return text.length;
}

async function slide(name, logsConfig) {
  const peer = await tidegate(port, 'uws', { name: `tidegate-logs-${name}`, chain: { chainId: 1, logs: logsConfig } });
  asked = 0;
  askedBlocks = 0;
  const startedMs = performance.now();
  for (let i = 0; i < steps; i++) for (const address of CONTRACTS) await query(peer.url, i * step, i * step + window - 1, address);
  const tookMs = performance.now() - startedMs;
  const counts = { asked, askedBlocks, tookMs };
  const before = rssKib(peer.pid);
  let most = before;
  const bytes = [];
  for (let i = 0; i < 5; i++) {
    bytes.push(await query(peer.url, 0, window - 1, LARGE));
    most = Math.max(most, rssKib(peer.pid));
  }
  await end(peer.child);
  return { ...counts, largeBytes: bytes[0], before, most };
}

const queries = steps * CONTRACTS.length;
console.log(`${queries} queries of ${window} blocks, each moved on by ${step}, to a node that takes ${limit} blocks a call:`);
for (const [name, logsConfig] of [['none', { cache: { maxBytes: 0 } }], ['intervals', {}]]) {
  const { asked: calls, askedBlocks: blocks, tookMs, largeBytes, before, most } = await slide(name, logsConfig);
  console.log(`  ${name.padEnd(9)} ${calls} calls to nodes, ${blocks} blocks scanned by them, ${(tookMs / queries).toFixed(2)} ms a query; an answer of ${(largeBytes / 1e6).toFixed(1)} MB five times: ${(before / 1024).toFixed(0)} MiB resident before, ${(most / 1024).toFixed(0)} MiB at most`);
}
node.close();
