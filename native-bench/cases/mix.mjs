import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { tableOf } from '../lib/figures.mjs';
import { digest, nextCall, seeded } from '../lib/mixCalls.mjs';
import { started } from '../peers.mjs';
import { cpuUs, freePort, run as start } from '../procs.mjs';

export const about = 'a published mix of methods with and without the cache: hits, calls that no node had to answer, processor time a call';

const CLIENTS = 16;
const TRANSACTIONS_PER_S = 100;
const POLL_MS = 250;
const SEED = 7;
const KINDS = { hit: 0, miss: 0, coalesced: 0, bypass: 0 };
const script = fileURLToPath(new URL('../lib/mixNode.mjs', import.meta.url));
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Clients as quick as answers come, and transactions that are sent and polled to their receipt. */
class Traffic {
  told = { calls: 0, errors: 0, ...KINDS };
  #agent = new Agent({ connections: CLIENTS * 2 });
  #world = { head: 2000, hashes: [] };
  #random;

  constructor(edge, node, seed) {
    this.edge = edge;
    this.node = node;
    this.#random = seeded(seed);
  }

  async call(url, method, params) {
    const answer = await request(url, { dispatcher: this.#agent, method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
    const body = await answer.body.json();
    if (url === this.edge.url) {
      this.told.calls++;
      this.told[answer.headers['x-tidegate-cache'] ?? 'bypass']++;
      if (body.error !== undefined && ++this.told.errors === 1) this.told.first = `${method} ${JSON.stringify(params)}: ${JSON.stringify(body.error)}`;
    }
    return body.result;
  }

  async run(seconds) {
    const endMs = performance.now() + seconds * 1000;
    const isOver = () => performance.now() >= endMs;
    const client = async () => {
      while (!isOver()) {
        const { method, params } = nextCall(this.#world, this.#random);
        await this.call(this.edge.url, method, params);
      }
    };
    const transaction = async (n) => {
      await wait((n / TRANSACTIONS_PER_S) * 800);
      const hash = await this.call(this.edge.url, 'eth_sendRawTransaction', [digest(`raw ${n}`)]);
      while (!isOver() && (await this.call(this.edge.url, 'eth_getTransactionReceipt', [hash])) === null) await wait(POLL_MS);
      this.#world.hashes.push(hash);
    };
    const clock = setInterval(() => void this.call(this.node.url, 'eth_blockNumber', []).then((head) => (this.#world.head = Number(head))), 500);
    await Promise.all([...Array.from({ length: CLIENTS }, client), ...Array.from({ length: Math.floor(TRANSACTIONS_PER_S * seconds) }, (_, n) => transaction(n))]);
    clearInterval(clock);
    await this.#agent.close();
  }
}

const metric = (text, name) => text.split('\n').filter((line) => line.startsWith(`tidegate_${name}{`)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);

async function round(bench, isCached, seed) {
  const port = await freePort();
  const node = bench.keep(await started('node', start(process.execPath, [script, String(port)]), port));
  const chain = { chainId: 1, cache: { enabled: isCached, verifySample: isCached ? (bench.isSmoke ? 1 : 0.01) : 0 }, coalescing: { enabled: isCached }, logs: { enabled: false }, blockTimeMs: 2000 };
  const edge = await bench.tidegate(node, 'uws', { chain });
  const traffic = new Traffic(edge, node, seed);
  await traffic.call(edge.url, 'eth_getBalance', [digest('first').slice(0, 42), 'latest']);
  const counts = async () => (await (await fetch(node.url, { method: 'POST', body: '{"id":1,"method":"bench_counts"}' })).json()).result.calls;
  const before = { node: await counts(), cpu: cpuUs(edge.pid), calls: traffic.told.calls };
  await traffic.run(bench.seconds(2));
  const metrics = await (await fetch(`http://127.0.0.1:${edge.adminPort}/metrics`)).text();
  const { told } = traffic;
  const calls = told.calls - before.calls;
  const [verified, differences] = ['cache_verified_total', 'cache_verify_differences_total'].map((name) => metric(metrics, name));
  const figures = { calls, hitRatio: told.hit / told.calls, coalescedRatio: told.coalesced / told.calls, nodeCallsPerCall: ((await counts()) - before.node) / calls, usPerCall: (cpuUs(edge.pid) - before.cpu) / calls, verified };
  for (const peer of [edge, node]) await bench.drop(peer);
  if (told.errors > 0) throw new Error(`${told.errors} of ${calls} calls failed, first ${told.first}`);
  if (differences > 0) throw new Error(`${differences} of ${verified} hits are not what the node says`);
  bench.checked += verified;
  return figures;
}

export async function run(bench) {
  const peers = [{ name: 'plain', isCached: false }, { name: 'cached', isCached: true }];
  const rounds = await bench.interleave(peers, ({ isCached }, i) => round(bench, isCached, SEED + i));
  return [tableOf(`with and without the cache, ${CLIENTS} clients`, rounds, 'plain')];
}
