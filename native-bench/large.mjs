// What handing on a large answer costs, and what it takes in memory, beside nginx.
//   node native-bench/large.mjs [--rounds 3] [--calls 40] [--connections 8]
// Bodies: `hex`, one long string as eth_call gives it; `trace`, small tokens as debug_trace… gives them, all of which the edge reads.
import { Agent, createServer, request } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './lib/figures.mjs';
import { nginx, tidegate } from './peers.mjs';
import { cpuOf, end } from './procs.mjs';

const MB = 1e6;
const STEP = '{"pc":1234,"op":"PUSH1","gas":99999,"gasCost":3,"depth":1,"stack":["0x80","0x40","0x1"]},';
const RESULTS = {
  hex: (bytes) => `"0x${'ab'.repeat(bytes / 2)}"`,
  trace: (bytes) => `[${STEP.repeat(Math.ceil(bytes / STEP.length))}0]`,
};

/** A node whose every answer but those to probes has this result. */
async function startNode(result) {
  const rest = Buffer.from(`,"result":${result}}`);
  const block = (tag) => ({ number: '0x64', hash: `0x${'1'.repeat(64)}`, parentHash: `0x${'2'.repeat(64)}`, timestamp: '0x65000000', tag });
  const small = { eth_chainId: '0x1', eth_syncing: false, net_peerCount: '0x8', eth_getBlockByNumber: block('latest'), web3_clientVersion: 'large/1' };
  const server = createServer((asked, answer) => {
    const pieces = [];
    asked.on('data', (piece) => pieces.push(piece));
    asked.on('end', () => {
      // no WebSocket here
      if (asked.method !== 'POST') return answer.writeHead(404).end();
      const { id, method } = JSON.parse(Buffer.concat(pieces).toString());
      if (method in small) return answer.end(JSON.stringify({ jsonrpc: '2.0', id, result: small[method] }));
      const head = Buffer.from(`{"jsonrpc":"2.0","id":${id}`);
      answer.writeHead(200, { 'content-type': 'application/json', 'content-length': head.length + rest.length });
      answer.write(head);
      answer.end(rest);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: server.address().port };
}

/** Reads one answer without keeping it. @returns its bytes */
function tell(url, agent) {
  const body = `{"jsonrpc":"2.0","id":1,"method":"debug_traceTransaction","params":["0x${'3'.repeat(64)}"]}`;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json', 'content-length': body.length } }, (answer) => {
      let bytes = 0;
      answer.on('data', (piece) => {
        bytes += piece.length;
      });
      answer.on('end', () => (answer.complete ? resolve(bytes) : reject(new Error('cut short'))));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Most resident memory of a process, in MiB, since it was asked last; nginx's is that of its worker. */
function peakMib(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean);
  const peaks = [pid, ...children].map((id) => {
    const most = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'latin1'))?.[1]) / 1024;
    writeFileSync(`/proc/${id}/clear_refs`, '5');
    return most;
  });
  return Math.max(...peaks);
}

async function round({ url, pid }, { calls, connections, bytes }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const before = cpuOf(pid);
  let left = calls;
  const worker = async () => {
    while (left-- > 0) if ((await tell(url, agent)) < bytes) throw new Error('an answer was too short');
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const after = cpuOf(pid);
  agent.destroy();
  const [userUs, systemUs] = ['userUs', 'systemUs'].map((key) => (after[key] - before[key]) / calls);
  return { usPerCall: userUs + systemUs, userUs, systemUs, peakMib: peakMib(pid) };
}

/**
 * Takes turns between nginx and Tidegate on both engines.
 * @param options { sizesMb, shapes, rounds, calls, connections }
 * @returns one row per size, shape and peer: medians over the rounds
 */
export async function largeAnswers({ sizesMb = [1, 10], shapes = ['hex', 'trace'], rounds = 3, calls = 40, connections = 8 } = {}) {
  const rows = [];
  for (const shape of shapes) {
    for (const sizeMb of sizesMb) {
      const bytes = sizeMb * MB;
      const { server, port } = await startNode(RESULTS[shape](bytes));
      const engines = await Promise.all(['uws', 'node'].map((engine) => tidegate(port, engine)));
      const peers = [await nginx(port), ...engines].filter((peer) => peer !== null);
      const share = Math.max(connections, Math.round(calls / sizeMb));
      const told = new Map(peers.map((peer) => [peer, []]));
      for (const peer of peers) await round(peer, { calls: share, connections, bytes });
      for (let i = 0; i < rounds; i++) for (const peer of peers) told.get(peer).push(await round(peer, { calls: share, connections, bytes }));
      for (const [peer, list] of told) {
        const of = (key) => median(list.map((each) => each[key]));
        rows.push({ shape, sizeMb, peer: peer.name, usPerCall: of('usPerCall'), userUs: of('userUs'), systemUs: of('systemUs'), peakMib: of('peakMib') });
      }
      for (const { child } of peers) await end(child);
      server.close();
      server.closeAllConnections();
    }
  }
  return rows;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, calls: { type: 'string', default: '40' }, connections: { type: 'string', default: '8' } } });
  const [rounds, calls, connections] = [values.rounds, values.calls, values.connections].map(Number);
  const rows = await largeAnswers({ rounds, calls, connections });
  for (const { shape, sizeMb, peer, usPerCall, userUs, systemUs, peakMib: most } of rows) {
    const base = rows.find((row) => row.peer === 'nginx' && row.shape === shape && row.sizeMb === sizeMb)?.usPerCall ?? Number.NaN;
    process.stdout.write(`${shape.padEnd(6)}${String(sizeMb).padStart(3)} MB  ${peer.padEnd(14)}${usPerCall.toFixed(0).padStart(7)} us (${userUs.toFixed(0)} user, ${systemUs.toFixed(0)} system)  ${(usPerCall / base).toFixed(2)} x nginx  ${most.toFixed(0)} MiB at most\n`);
  }
}
