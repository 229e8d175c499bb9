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

/** Seconds without measuring: what a program does in its first seconds is mostly compiling itself, and its cache is empty. */
const WARM_S = 8;

/** Clients as quick as answers come, and transactions that are sent and polled to their receipt. */
class Traffic {
  told = { calls: 0, errors: 0, ...KINDS };
  #agent = new Agent({ connections: CLIENTS * 2 });
  #world = { head: 2000, hashes: [] };
  #random = seeded(SEED);
  #sent = 0;

  constructor(edge, node) {
    this.edge = edge;
    this.node = node;
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
      const hash = await this.call(this.edge.url, 'eth_sendRawTransaction', [digest(`raw ${this.#sent++}`)]);
      while (!isOver() && (await this.call(this.edge.url, 'eth_getTransactionReceipt', [hash])) === null) await wait(POLL_MS);
      this.#world.hashes.push(hash);
    };
    const look = async () => {
      this.#world.head = Number(await this.call(this.node.url, 'eth_blockNumber', []));
    };
    await look();
    const clock = setInterval(look, 500);
    await Promise.all([...Array.from({ length: CLIENTS }, client), ...Array.from({ length: Math.floor(TRANSACTIONS_PER_S * seconds) }, (_, n) => transaction(n))]);
    clearInterval(clock);
  }

  close() {
    return this.#agent.close();
  }
}

const metric = (text, name) => text.split('\n').filter((line) => line.startsWith(`tidegate_${name}{`)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);

/** A node, a gateway in front of it, and its clients. */
async function world(bench, name, isCached) {
  const port = await freePort();
  const node = bench.keep(await started('node', start(process.execPath, [script, String(port)]), port));
  const chain = { chainId: 1, cache: { enabled: isCached, verifySample: isCached ? (bench.isSmoke ? 1 : 0.01) : 0 }, coalescing: { enabled: isCached }, logs: { enabled: false }, blockTimeMs: 2000 };
  const edge = await bench.tidegate(node, 'uws', { chain });
  const traffic = new Traffic(edge, node);
  await traffic.call(edge.url, 'eth_getBalance', [digest('first').slice(0, 42), 'latest']);
  if (!bench.isSmoke) await traffic.run(WARM_S);
  return { name, node, edge, traffic };
}

async function round(bench, { node, edge, traffic }) {
  const look = async () => {
    const counts = (await (await fetch(node.url, { method: 'POST', body: '{"id":1,"method":"bench_counts"}' })).json()).result;
    const metrics = await (await fetch(`http://127.0.0.1:${edge.adminPort}/metrics`)).text();
    const [verified, differences] = ['cache_verified_total', 'cache_verify_differences_total'].map((name) => metric(metrics, name));
    return { ...counts, verified, differences, told: { ...traffic.told }, cpu: cpuUs(edge.pid), nodeCpu: cpuUs(node.pid) };
  };
  const before = await look();
  await traffic.run(bench.seconds(2));
  const after = await look();
  const share = (of, key) => (of(after)[key] - of(before)[key]) / calls;
  const calls = after.told.calls - before.told.calls;
  const { verified, differences, told } = after;
  if (told.errors > 0) throw new Error(`${told.errors} of ${told.calls} calls failed, first ${told.first}`);
  if (differences > 0) throw new Error(`${differences} of ${verified} hits are not what the node says`);
  const all = (look) => look;
  bench.checked += verified - before.verified;
  return {
    calls, hitRatio: share((look) => look.told, 'hit'), coalescedRatio: share((look) => look.told, 'coalesced'),
    nodeCallsPerCall: share(all, 'calls'), nodeMessagesPerCall: share(all, 'messages'), usPerCall: share(all, 'cpu'), nodeUsPerCall: share(all, 'nodeCpu'), verified: verified - before.verified,
  };
}

export async function run(bench) {
  const worlds = [];
  for (const [name, isCached] of [['plain', false], ['cached', true]]) worlds.push(await world(bench, name, isCached));
  const rounds = await bench.interleave(worlds, (one) => round(bench, one));
  for (const { traffic } of worlds) await traffic.close();
  return [tableOf(`with and without the cache, ${CLIENTS} clients`, rounds, 'plain')];
}
