// Nodes die, hang, are restarted and come back for a while, with calls and subscriptions running:
// npm run soak -- [--seconds 1800] [--seed 1] [--rate 200] [--clients 8] [--block-time 1s] [--heap FOLDER] [--log FILE]
// Fails when an idempotent read fails, when a stream lacks or doubles what the chain has, when a node is not back at the
// end, or when memory (what lives when all garbage is gone, beside the caches), files or processes leak.
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request, Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { watchHeap } from './soakHeap.mjs';
import { checkStreams, openStreams } from './soakStreams.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '1800' }, seed: { type: 'string', default: '1' }, rate: { type: 'string', default: '200' }, clients: { type: 'string', default: '8' }, heap: { type: 'string' }, log: { type: 'string' }, 'block-time': { type: 'string', default: '1s' } } });
const seconds = Number(values.seconds);
const rate = Number(values.rate);

/** mulberry32: the same seed, the same troubles. */
let state = Number(values.seed) | 0;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const pick = (list) => list[Math.floor(random() * list.length)];

const folder = mkdtempSync(join(tmpdir(), 'tidegate-soak-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const demo = spawn(process.execPath, ['--import', new URL('./soakProbe.mjs', import.meta.url).href, new URL('../dist/main.js', import.meta.url).pathname, 'demo', '--port', '0', '--admin-port', '0', '--block-time', values['block-time']], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], cwd: folder });
let said = '';
demo.stdout.on('data', (text) => {
  if (values.log !== undefined) appendFileSync(values.log, text);
  said += text;
  if (said.length > 1_000_000) said = said.slice(-500_000);
});
let over = false;
const ended = new Promise((done) => demo.once('exit', (code) => done(code)));
void ended.then(() => (over = true));
const find = async (pattern) => {
  for (;;) {
    const found = pattern.exec(said);
    if (found !== null) return found[1];
    if (over) throw new Error(`the demo ended: ${said.slice(-2000)}`);
    await wait(100);
  }
};
const url = await find(/block every \S+, on (http:\S+)/);
const admin = await find(/curl -s (http:\S+)\/api\/v1\/upstreams/);
const controller = await find(/curl -s (http:\S+)\/api\/v1\/journal/);

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const ADDRESS = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const CALLS = [['eth_blockNumber', []], ['eth_getBalance', [ADDRESS, 'latest']], ['eth_getBlockByNumber', ['latest', false]], ['eth_call', [{ to: ADDRESS }, 'latest']], ['eth_chainId', []], ['eth_getTransactionCount', [ADDRESS, 'latest']]];
let calls = 0;
let underWay = 0;
let lastHead = -1;
const errors = [];
const took = [];
const note = (text) => {
  errors.push(errors.length < 20 ? text : '');
  if (values.log !== undefined && errors.length < 20) appendFileSync(values.log, `soak: ${new Date().toISOString()} ${text}\n`);
};

/** Calls sent again because the connection that they were sent on was just being closed for having been idle. */
let resent = 0;

function call([method, params] = pick(CALLS)) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: ++calls, method, params });
  const beganMs = performance.now();
  const headBefore = lastHead;
  underWay++;
  const done = (problem) => {
    underWay--;
    took.push(performance.now() - beganMs);
    if (problem !== null) note(`${method}: ${problem}`);
  };
  const sent = request(url, { agent, method: 'POST', headers: { 'content-type': 'application/json' }, timeout: 35_000 }, (answer) => {
    let text = '';
    answer.setEncoding('utf8');
    answer.on('data', (chunk) => (text += chunk));
    answer.on('error', (error) => done(error.message));
    answer.on('end', () => {
      const { result, error } = JSON.parse(text);
      if (answer.statusCode !== 200 || error !== undefined) return done(`${answer.statusCode} ${text.slice(0, 200)}`);
      if (method === 'eth_blockNumber') {
        const head = Number(result);
        if (head < headBefore) note(`the head went back from ${headBefore} to ${head}`);
        lastHead = Math.max(lastHead, head);
      }
      done(null);
    });
  });
  sent.on('error', (error) => {
    if (!sent.reusedSocket || error.code !== 'ECONNRESET') return done(error.message);
    // RFC 9112, 9.3.1: either side may close an idle connection at any time, and the client sends such a call again
    underWay--;
    resent++;
    call([method, params]);
  });
  sent.end(body);
}

const files = (pid) => readdirSync(`/proc/${pid}/fd`).length;
const memory = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
/** Processes that the demo has started and that are there, ended ones that nobody asked after too. */
const children = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) \S /, '').startsWith(`${demo.pid} `);
      } catch {
        return false;
      }
    }).length;
const nodes = async () => (await fetch(`${controller}/api/v1/nodes`)).json();
const serving = async () => (await (await fetch(`${admin}/api/v1/upstreams`)).json())[0].upstreams.filter(({ state, assignedWeight, configuredWeight }) => state === 'serving' && assignedWeight === configuredWeight).map(({ name }) => name);
const allServe = async (limitMs) => {
  for (const endMs = performance.now() + limitMs; performance.now() < endMs; await wait(250)) if ((await serving()).length === 3) return true;
  return false;
};

if (!(await allServe(60_000))) throw new Error('the nodes did not come up');
const streamFaults = [];
const streams = await openStreams(url, Number(values.clients), streamFaults);
const startMs = performance.now();
let sent = 0;
const pacer = setInterval(() => {
  const due = ((performance.now() - startMs) / 1000) * rate;
  for (; sent < due; sent++) call();
}, 5);

const restart = (name) =>
  fetch(`${controller}/api/v1/nodes/${name}/restart`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${readFileSync(join(folder, '.tidegate', 'controller.token'), 'utf8').trim()}` },
    body: '{}',
  });
/** Operations by their line in the journal, which is asked for in pieces. */
const operations = new Map();
const readJournal = async () => {
  for (const entry of await (await fetch(`${controller}/api/v1/journal?limit=300`)).json()) if (entry.kind === 'operation') operations.set(JSON.stringify(entry), entry);
};
const heap = watchHeap(demo, admin, values.heap);
const samples = [];
const troubles = { kill: 0, stop: 0, restart: 0 };
const hit = new Set();
const out = new Set();
let base = null;
while (performance.now() - startMs < seconds * 1000 && !over) {
  const up = await serving();
  if (base === null && performance.now() - startMs > 20_000) base = { memoryBytes: memory(demo.pid), files: files(demo.pid), children: children() };
  samples.push(memory(demo.pid));
  await heap.turn(performance.now() - startMs);
  await readJournal();
  // a node that was hit counts as well again when it was seen out of service and back
  for (const name of hit) if (!up.includes(name)) out.add(name);
  for (const name of out) {
    if (!up.includes(name)) continue;
    out.delete(name);
    hit.delete(name);
  }
  const well = up.filter((name) => !hit.has(name));
  // one node has to be left to answer
  if (well.length >= 2) {
    const victim = (await nodes()).find(({ name }) => name === pick(well));
    const pid = victim?.process?.pid;
    const trouble = pick(['kill', 'kill', 'stop', 'restart']);
    if (pid) {
      try {
        if (trouble === 'restart') await restart(victim.name);
        else process.kill(pid, trouble === 'kill' ? 'SIGKILL' : 'SIGSTOP');
        troubles[trouble]++;
        hit.add(victim.name);
      } catch {
        // it was being restarted
      }
    }
  }
  await wait(2000 + random() * 4000);
}
clearInterval(pacer);
const cameBack = await allServe(120_000);
while (underWay > 0 && !over) await wait(50);
const transactions = await streams.stop();
const told = await checkStreams(url, streams, streamFaults);
await readJournal();
const healed = [...operations.values()].filter(({ outcome, why }) => outcome === 'ok' && !why.startsWith('nothing of it')).map(({ durationMs }) => durationMs).sort((a, b) => a - b);
const last = { memoryBytes: memory(demo.pid), files: files(demo.pid), children: children() };
const middle = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const live = await heap.end();
const quarter = Math.ceil(samples.length / 4);
const mib = (bytes) => Math.round(bytes / 2 ** 20);
const [early, late] = [middle(samples.slice(0, quarter)), middle(samples.slice(-quarter))];
const anvils = (await nodes()).filter(({ process: run }) => run.state === 'running').map(({ process: run }) => run.pid);
demo.kill('SIGINT');
const code = await ended;
const lives = (pid) => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
const left = anvils.filter(lives);
took.sort((a, b) => a - b);
const at = (list, share) => Math.round((list[Math.min(list.length - 1, Math.floor(share * list.length))] ?? 0) * 10) / 10;
const figures = { seconds, seed: Number(values.seed), calls, errors: errors.length, resent, troubles, p50Ms: at(took, 0.5), p99Ms: at(took, 0.99), maxMs: at(took, 1), healed: healed.length, healMedianMs: at(healed, 0.5), healMaxMs: at(healed, 1), cameBack, transactions, ...told, memoryMiB: [base, last].map((one) => one && mib(one.memoryBytes)), memoryQuartersMiB: [mib(early), mib(late)], ...live.figures, files: [base?.files, last.files], children: [base?.children, last.children], processesLeft: left.length, exit: code };
console.log(JSON.stringify(figures));
const faults = [];
if (streamFaults.length > 0) faults.push(`${streamFaults.length} faults of streams: ${streamFaults.slice(0, 5).join(' | ')}`);
if (errors.length > 0) faults.push(`${errors.length} errors: ${errors.slice(0, 5).join(' | ')}`);
if (!cameBack) faults.push('not all nodes came back');
if (left.length > 0) faults.push(`processes left: ${left}`);
if (code !== 0) faults.push(`the demo ended with ${code}`);
if (late > 1.5 * early + 64 * 2 ** 20) faults.push(`memory grew from ${mib(early)} to ${mib(late)} MiB`);
if (live.fault !== null) faults.push(live.fault);
if (base !== null && last.children > base.children + 1) faults.push(`${last.children} processes of the demo, ${base.children} at first`);
if (base !== null && last.files > base.files + 200) faults.push('open files grew');
for (const fault of faults) console.error(`soak: ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);
