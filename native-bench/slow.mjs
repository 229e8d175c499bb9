// What quick calls feel of slow ones to the same node: wrk in a closed loop, beside it calls that take half a second each.
//   node native-bench/slow.mjs [--rounds 3] [--seconds 4] [--connections 64] [--slow-per-s 4] [--keys 1]
// --keys: how many different slow calls there are; the same one again is known to be slow.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stub, tidegate } from './peers.mjs';
import { end, has } from './procs.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '64' },
    'slow-per-s': { type: 'string', default: '4' },
    keys: { type: 'string', default: '1' },
  },
});
const script = fileURLToPath(new URL('slow.lua', import.meta.url));
const SLOW = '0x00000000000000000000000000000000000051a0';

/** Sends slow calls at their rate until told to stop. @returns how many were answered, and how many wrongly */
function slowCalls(url, perS) {
  const told = { answered: 0, wrong: 0 };
  let sent = 0;
  const send = async () => {
    const key = sent++ % Number(values.keys);
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ to: SLOW, data: `0x${key.toString(16).padStart(8, '0')}` }, 'latest'] });
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).then((r) => r.json(), () => ({}));
    told.answered++;
    if (typeof answer.result !== 'string') told.wrong++;
  };
  const timer = setInterval(() => void send(), 1000 / perS);
  return { told, stop: () => clearInterval(timer) };
}

function wrk(url) {
  return new Promise((resolve, reject) => {
    const child = spawn('wrk', ['-t1', `-c${values.connections}`, `-d${values.seconds}s`, '--latency', '-s', script, url]);
    let text = '';
    child.stdout.on('data', (data) => (text += data));
    child.on('close', () => {
      const line = text.match(/RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)/);
      if (line === null) return reject(new Error(`wrk gave no result: ${text}`));
      const [requests, durationUs, p50Us, p99Us, p999Us, maxUs, errors] = line.slice(1).map(Number);
      resolve({ reqPerS: requests / (durationUs / 1e6), p50Ms: p50Us / 1000, p99Ms: p99Us / 1000, p999Ms: p999Us / 1000, maxMs: maxUs / 1000, errors });
    });
  });
}

const middle = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

async function main() {
  if (has('wrk') === null) throw new Error('needs wrk (Debian package wrk)');
  const node = await stub();
  const peers = [];
  const rounds = {};
  try {
    peers.push(await tidegate(node.port, 'uws', { name: 'batched' }));
    peers.push(await tidegate(node.port, 'uws', { name: 'alone', upstream: { batch: { enabled: false } } }));
    for (const peer of peers) await wrk(peer.url); // warm-up, thrown away
    for (let i = 0; i < Number(values.rounds); i++) {
      for (const slowPerS of [0, Number(values['slow-per-s'])]) {
        for (const peer of peers) {
          const slow = slowPerS === 0 ? null : slowCalls(peer.url, slowPerS);
          const name = `${peer.name}, ${slowPerS} slow/s`;
          rounds[name] = [...(rounds[name] ?? []), await wrk(peer.url)];
          slow?.stop();
          if (slow !== null && slow.told.wrong > 0) throw new Error(`${slow.told.wrong} slow calls were answered wrongly`);
        }
      }
    }
  } finally {
    for (const peer of [...peers, node]) await end(peer.child);
  }
  process.stdout.write('medians               req/s   p50 ms   p99 ms  p99.9 ms   max ms\n');
  for (const [name, list] of Object.entries(rounds)) {
    const cell = (key, digits, width) => middle(list.map((r) => r[key])).toFixed(digits).padStart(width);
    process.stdout.write(`${name.padEnd(20)}${cell('reqPerS', 0, 7)}${cell('p50Ms', 2, 9)}${cell('p99Ms', 2, 9)}${cell('p999Ms', 2, 10)}${cell('maxMs', 1, 9)}\n`);
  }
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
