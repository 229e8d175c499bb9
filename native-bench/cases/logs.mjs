import { tableOf } from '../lib/figures.mjs';
import { startLogNode, word } from '../lib/logNode.mjs';
import { mostMemory } from '../lib/meter.mjs';
import { rssKib } from '../procs.mjs';

export const about = 'an indexer that reads overlapping windows of logs: calls to nodes that stored intervals save, and memory of an answer of 21 MB';

const CONTRACTS = [1, 2, 3].map((n) => `0x${n.toString(16).padStart(40, '0')}`);
const LARGE = `0x${'f'.repeat(40)}`;
const LARGE_BYTES = 21e6;
/** Blocks of a window, how far it moves on each time, and the widest query that the node takes. */
const [WINDOW, STEP, LIMIT] = [200, 20, 50];
const hex = (number) => `0x${number.toString(16)}`;

/** One query; every block of it must have its log. @returns the size of the answer */
async function query(url, from, to, address) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_getLogs', params: [{ fromBlock: hex(from), toBlock: hex(to), address }] });
  const text = await (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).text();
  const { result } = JSON.parse(text);
  const isWhole = result?.length === to - from + 1 && result.every((log, i) => log.blockHash === word(from + i) && log.address === address);
  if (!isWhole) throw new Error(`blocks ${from} to ${to}: ${text.slice(0, 300)}`);
  return text.length;
}

async function round(bench, logs) {
  const steps = bench.isSmoke ? 5 : 100;
  const node = await startLogNode({ head: WINDOW + STEP * steps + 200, limit: LIMIT, large: LARGE, largeDataBytes: LARGE_BYTES / 2 / WINDOW });
  try {
    const edge = await bench.tidegate(node, 'uws', { chain: { chainId: 1, logs } });
    const startMs = performance.now();
    for (let i = 0; i < steps; i++) for (const address of CONTRACTS) await query(edge.url, i * STEP, i * STEP + WINDOW - 1, address);
    const queries = steps * CONTRACTS.length;
    const ms = (performance.now() - startMs) / queries;
    const { calls, blocks } = node.asked;
    const beforeMib = rssKib(edge.pid) / 1024;
    const { mostMib } = await mostMemory(edge.pid, async () => {
      for (let i = 0; i < 3; i++) await query(edge.url, 0, WINDOW - 1, LARGE);
    });
    await bench.drop(edge);
    bench.checked += queries + 3;
    return { callsPerQuery: calls / queries, blocksPerQuery: blocks / queries, msPerQuery: ms, beforeMib, mostMib };
  } finally {
    node.close();
  }
}

export async function run(bench) {
  const peers = [{ name: 'nothing stored', logs: { cache: { maxBytes: 0 } } }, { name: 'intervals', logs: {} }];
  const rounds = await bench.interleave(peers, ({ logs }) => round(bench, logs));
  return [tableOf(`windows of ${WINDOW} blocks moved on by ${STEP}, a node that takes ${LIMIT} at once`, rounds, 'nothing stored')];
}
