// Compares Tidegate with native proxies over the same stub, interleaved in one run.
//   node native-bench/main.mjs [--rounds 5] [--seconds 3] [--connections 64] [--cost-us 0] [--result-bytes 66] [--peers NAME,NAME] [--out FILE]
// Other work on the machine shifts every figure: ratios are taken within a round, between neighbours in time.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkAnswers } from './answers.mjs';
import { haproxy, nginx, rawUws, stub, tidegate } from './peers.mjs';
import { cpuUs, end, has, rssKib } from './procs.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    'cost-us': { type: 'string', default: '0' },
    'result-bytes': { type: 'string', default: '66' },
    peers: { type: 'string', default: 'uws-raw,haproxy,nginx,tidegate-uws,tidegate-node' },
    out: { type: 'string', default: fileURLToPath(new URL('results/local-pass.json', import.meta.url)) },
  },
});
const script = fileURLToPath(new URL('call.lua', import.meta.url));

/**
 * Everybody that can be compared. `-alone`: every call in a request of its own; `-ws`: over WebSocket to the node; `-shared`: equal calls
 * in flight share one; `-hit`: answered from the cache.
 */
const STARTS = {
  'uws-raw': () => rawUws(),
  haproxy,
  nginx,
  'tidegate-uws': (port) => tidegate(port, 'uws'),
  'tidegate-node': (port) => tidegate(port, 'node'),
  'tidegate-alone': (port) => tidegate(port, 'uws', { name: 'tidegate-alone', upstream: { batch: { enabled: false } } }),
  'tidegate-shared': (port) => tidegate(port, 'uws', { name: 'tidegate-shared', chain: { cache: { enabled: false } } }),
  'tidegate-hit': (port) => tidegate(port, 'uws', { name: 'tidegate-hit', chain: {} }),
  'tidegate-ws': (port) => tidegate(port, 'uws', { name: 'tidegate-ws', upstream: { transport: 'ws' } }),
};

/** One closed-loop run of wrk against a peer. */
function round(peer) {
  const before = cpuUs(peer.pid);
  const args = ['-t1', `-c${values.connections}`, `-d${values.seconds}s`, '--latency', '-s', script, peer.url];
  const wrk = spawnSync('wrk', args, { encoding: 'utf8' });
  const line = wrk.stdout?.match(/RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)/);
  if (line == null) throw new Error(`wrk gave no result for ${peer.name}: ${wrk.stderr}${wrk.stdout}`);
  const [requests, durationUs, p50Us, p99Us, badStatus, socketErrors] = line.slice(1).map(Number);
  const usPerRequest = (cpuUs(peer.pid) - before) / requests;
  if (requests === 0 || badStatus > 0 || socketErrors > 0) {
    throw new Error(`${peer.name}: ${requests} answers, ${badStatus} of a bad status, ${socketErrors} socket errors`);
  }
  return { reqPerS: requests / (durationUs / 1e6), usPerRequest, p50Us, p99Us, rssKib: rssKib(peer.pid) };
}

const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};
const spread = (list) => ({ median: median(list), min: Math.min(...list), max: Math.max(...list) });

/** Medians of a peer's rounds, and of its ratios to another peer round by round. */
function summary(rounds, base) {
  const figures = Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, spread(rounds.map((r) => r[key]))]));
  const toBase = ['reqPerS', 'usPerRequest', 'p50Us', 'p99Us'].map((key) => [key, spread(rounds.map((r, i) => r[key] / base[i][key]))]);
  return { ...figures, ratios: Object.fromEntries(toBase) };
}

function version(program, args) {
  const path = has(program);
  if (path === null) return null;
  const out = spawnSync(path, args, { encoding: 'utf8' });
  return `${out.stdout}${out.stderr}`.trim().split('\n')[0];
}

function report(results, baseName) {
  const cell = (n, digits, width) => n.toFixed(digits).padStart(width);
  process.stdout.write(`medians; the ratios are to ${baseName}, taken round by round\n`);
  process.stdout.write('peer            req/s   µs/req  p50 ms  p99 ms  RSS MiB |  req/s  µs/req   p50    p99\n');
  for (const [name, r] of Object.entries(results)) {
    const { ratios } = r;
    const figures = `${cell(r.reqPerS.median, 0, 7)}${cell(r.usPerRequest.median, 1, 9)}${cell(r.p50Us.median / 1000, 2, 8)}${cell(r.p99Us.median / 1000, 2, 8)}${cell(r.rssKib.median / 1024, 0, 9)}`;
    const relative = `${cell(ratios.reqPerS.median, 2, 7)}${cell(ratios.usPerRequest.median, 2, 8)}${cell(ratios.p50Us.median, 2, 7)}${cell(ratios.p99Us.median, 2, 7)}`;
    process.stdout.write(`${name.padEnd(14)}${figures} |${relative}\n`);
  }
}

/** Runs everybody once per round, each round beginning with the next one. */
async function measure(peers) {
  const rounds = Object.fromEntries(peers.map((p) => [p.name, []]));
  for (const peer of peers) {
    await checkAnswers(peer);
    round(peer); // warm-up, thrown away
  }
  for (let i = 0; i < Number(values.rounds); i++) {
    for (let n = 0; n < peers.length; n++) {
      const peer = peers[(i + n) % peers.length];
      rounds[peer.name].push(round(peer));
    }
  }
  for (const peer of peers) await checkAnswers(peer);
  return rounds;
}

function save(results, rounds, loadBefore) {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, loadBefore, loadAfter: loadavg() };
  const versions = { haproxy: version('haproxy', ['-v']), nginx: version('nginx', ['-v']), wrk: version('wrk', ['-v']) };
  const commit = spawnSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).stdout.trim();
  const { out, ...options } = values;
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify({ case: 'pass-through', options, machine, versions, commit, results, rounds }, null, 1)}\n`);
}

async function main() {
  if (has('wrk') === null) throw new Error('needs wrk (Debian package wrk)');
  const loadBefore = loadavg();
  const peers = [];
  try {
    const node = await stub(Number(values['cost-us']), Number(values['result-bytes']));
    peers.push(node);
    for (const name of values.peers.split(',')) {
      if (!Object.hasOwn(STARTS, name)) throw new Error(`no peer ${name}: ${Object.keys(STARTS).join(', ')}`);
      const peer = await STARTS[name](node.port);
      if (peer !== null) peers.push(peer);
    }
    const rounds = await measure(peers);
    const baseName = ['haproxy', 'nginx', 'stub'].find((name) => name in rounds);
    const results = Object.fromEntries(Object.entries(rounds).map(([name, list]) => [name, summary(list, rounds[baseName])]));
    report(results, baseName);
    save(results, rounds, loadBefore);
  } finally {
    for (const peer of peers.reverse()) await end(peer.child);
  }
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
