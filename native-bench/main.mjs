// Compares Tidegate with native proxies over the same stub, interleaved in one run.
//   node native-bench/main.mjs [--rounds 5] [--seconds 3] [--connections 64] [--cost-us 0] [--out FILE]
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { haproxy, nginx, rawUws, stub, tidegate } from './peers.mjs';
import { cpuUs, end, has, rssKib } from './procs.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    'cost-us': { type: 'string', default: '0' },
    out: { type: 'string', default: fileURLToPath(new URL('results/local-pass.json', import.meta.url)) },
  },
});
const script = fileURLToPath(new URL('call.lua', import.meta.url));

/** One closed-loop run of wrk against a peer. */
function round(peer) {
  const before = cpuUs(peer.pid);
  const args = ['-t1', `-c${values.connections}`, `-d${values.seconds}s`, '--latency', '-s', script, peer.url];
  const wrk = spawnSync('wrk', args, { encoding: 'utf8' });
  const line = wrk.stdout?.match(/RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)/);
  if (line == null) throw new Error(`wrk gave no result for ${peer.name}: ${wrk.stderr}${wrk.stdout}`);
  const [requests, durationUs, p50Us, p99Us, badStatus, socketErrors] = line.slice(1).map(Number);
  const usPerRequest = (cpuUs(peer.pid) - before) / requests;
  if (badStatus > 0 || socketErrors > 0) {
    throw new Error(`${peer.name}: ${badStatus} answers of a bad status, ${socketErrors} socket errors`);
  }
  return { reqPerS: requests / (durationUs / 1e6), usPerRequest, p50Us, p99Us, rssKib: rssKib(peer.pid) };
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const summary = (rounds, key) => {
  const all = rounds.map((r) => r[key]);
  return { median: median(all), min: Math.min(...all), max: Math.max(...all) };
};

function version(program, args) {
  const path = has(program);
  if (path === null) return null;
  const out = spawnSync(path, args, { encoding: 'utf8' });
  return `${out.stdout}${out.stderr}`.trim().split('\n')[0];
}

function report(results) {
  const base = results.haproxy ?? results.nginx ?? results.stub;
  const cell = (n, digits, width) => n.toFixed(digits).padStart(width);
  process.stdout.write('peer             req/s   µs/req  p50 ms  p99 ms  req/s ratio  µs ratio\n');
  for (const [name, r] of Object.entries(results)) {
    const ratio = r.reqPerS.median / base.reqPerS.median;
    const cost = r.usPerRequest.median / base.usPerRequest.median;
    process.stdout.write(
      `${name.padEnd(14)}${cell(r.reqPerS.median, 0, 8)}${cell(r.usPerRequest.median, 1, 9)}${cell(r.p50Us.median / 1000, 2, 8)}${cell(r.p99Us.median / 1000, 2, 8)}${cell(ratio, 2, 13)}${cell(cost, 2, 10)}\n`,
    );
  }
}

async function main() {
  if (has('wrk') === null) throw new Error('needs wrk (Debian package wrk)');
  const node = await stub(Number(values['cost-us']));
  const peers = [node, await rawUws(), await haproxy(node.port), await nginx(node.port)].filter((p) => p !== null);
  peers.push(await tidegate(node.port, 'uws'), await tidegate(node.port, 'node'));
  const rounds = Object.fromEntries(peers.map((p) => [p.name, []]));
  try {
    for (const peer of peers) round(peer); // warm-up, thrown away
    for (let i = 0; i < Number(values.rounds); i++) for (const peer of peers) rounds[peer.name].push(round(peer));
  } finally {
    for (const peer of peers.reverse()) await end(peer.child);
  }
  const keys = ['reqPerS', 'usPerRequest', 'p50Us', 'p99Us', 'rssKib'];
  const results = Object.fromEntries(
    Object.entries(rounds).map(([name, list]) => [name, Object.fromEntries(keys.map((k) => [k, summary(list, k)]))]),
  );
  report(results);
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const versions = { haproxy: version('haproxy', ['-v']), nginx: version('nginx', ['-v']), wrk: version('wrk', ['-v']) };
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim();
  mkdirSync(fileURLToPath(new URL('results', import.meta.url)), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify({ case: 'pass-through', options: values, machine, versions, commit, results, rounds }, null, 1)}\n`);
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
