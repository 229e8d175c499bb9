// Nodes die, hang and come back for a while, with calls running: npm run soak -- [--seconds 1800] [--seed 1] [--rate 200]
// Fails when an idempotent read fails, when a node is not back at the end, or when memory, files or processes leak.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { request, Agent } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '1800' }, seed: { type: 'string', default: '1' }, rate: { type: 'string', default: '200' } } });
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

const demo = spawn(process.execPath, [new URL('../dist/main.js', import.meta.url).pathname, 'demo', '--port', '0', '--admin-port', '0', '--block-time', '1s'], { stdio: ['ignore', 'pipe', 'inherit'] });
let said = '';
demo.stdout.on('data', (text) => {
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
const note = (text) => void (errors.length < 20 ? errors.push(text) : errors.push(''));

function call() {
  const [method, params] = pick(CALLS);
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
  sent.on('error', (error) => done(error.message));
  sent.end(body);
}

const files = (pid) => readdirSync(`/proc/${pid}/fd`).length;
const memory = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
const nodes = async () => (await fetch(`${controller}/api/v1/nodes`)).json();
const serving = async () => (await (await fetch(`${admin}/api/v1/upstreams`)).json())[0].upstreams.filter(({ state, assignedWeight, configuredWeight }) => state === 'serving' && assignedWeight === configuredWeight).map(({ name }) => name);
const allServe = async (limitMs) => {
  for (const endMs = performance.now() + limitMs; performance.now() < endMs; await wait(250)) if ((await serving()).length === 3) return true;
  return false;
};

if (!(await allServe(60_000))) throw new Error('the nodes did not come up');
const startMs = performance.now();
let sent = 0;
const pacer = setInterval(() => {
  const due = ((performance.now() - startMs) / 1000) * rate;
  for (; sent < due; sent++) call();
}, 5);

const troubles = { kill: 0, stop: 0 };
const hit = new Set();
const out = new Set();
let base = null;
while (performance.now() - startMs < seconds * 1000 && !over) {
  const up = await serving();
  if (base === null && performance.now() - startMs > 20_000) base = { memoryBytes: memory(demo.pid), files: files(demo.pid) };
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
    const trouble = pick(['kill', 'kill', 'stop']);
    if (pid) {
      try {
        process.kill(pid, trouble === 'kill' ? 'SIGKILL' : 'SIGSTOP');
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
const journal = await (await fetch(`${controller}/api/v1/journal?limit=1000`)).json();
const healed = journal.filter(({ kind, outcome, why }) => kind === 'operation' && outcome === 'ok' && !why.startsWith('nothing of it')).map(({ durationMs }) => durationMs).sort((a, b) => a - b);
const last = { memoryBytes: memory(demo.pid), files: files(demo.pid) };
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
const figures = { seconds, seed: Number(values.seed), calls, errors: errors.length, troubles, p50Ms: at(took, 0.5), p99Ms: at(took, 0.99), maxMs: at(took, 1), healed: healed.length, healMedianMs: at(healed, 0.5), healMaxMs: at(healed, 1), cameBack, memoryMiB: [base, last].map((one) => one && Math.round(one.memoryBytes / 2 ** 20)), files: [base?.files, last.files], processesLeft: left.length, exit: code };
console.log(JSON.stringify(figures));
const faults = [];
if (errors.length > 0) faults.push(`${errors.length} errors: ${errors.slice(0, 5).join(' | ')}`);
if (!cameBack) faults.push('not all nodes came back');
if (left.length > 0) faults.push(`processes left: ${left}`);
if (code !== 0) faults.push(`the demo ended with ${code}`);
if (base !== null && last.memoryBytes > 2 * base.memoryBytes + 100 * 2 ** 20) faults.push('memory grew');
if (base !== null && last.files > base.files + 200) faults.push('open files grew');
for (const fault of faults) console.error(`soak: ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);
