import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ethCall } from '../lib/calls.mjs';
import { tableOf } from '../lib/figures.mjs';
import { pidsOf, rssKib, run as start } from '../procs.mjs';

export const about = '10,000 connections that send nothing: resident memory for each, and calls beside them still right';

const COUNT = 10_000;
const SMOKE_COUNT = 500;
const WARM_UP = 200;
const LIMIT_MS = 20_000;
/** Connections to the stub come and go. */
const SLACK = 80;
const driver = fileURLToPath(new URL('../lib/idleDriver.mjs', import.meta.url));

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(isSo, why) {
  for (const endMs = performance.now() + LIMIT_MS; !isSo(); await pause(20)) if (performance.now() > endMs) throw new Error(why());
}

/** Ends all connections of a process. */
const leave = (child) =>
  new Promise((resolve) => {
    child.once('exit', resolve);
    child.stdin.end();
  });

/** Open files of a process and those below it, as far as one peer has workers. */
const filesOf = (peer) => pidsOf(peer.pid).reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);

/** Holds connections open until the peer has accepted them all. @returns the process, once all are there; it is told to end by the end of its input */
async function hold(peer, count, kind) {
  const due = filesOf(peer) + count;
  const child = start(process.execPath, [driver, String(peer.port), String(count), kind], {}, 'pipe');
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('close', () => reject(new Error(`the clients of ${peer.name} ended: ${child.tail}`)));
  });
  // known to the system is not yet accepted
  await until(() => filesOf(peer) >= due - SLACK, () => `${peer.name} took ${filesOf(peer) - due + count} of ${count} connections`);
  return child;
}

export async function run(bench) {
  const call = ethCall();
  const node = await bench.stub();
  const count = bench.isSmoke ? SMOKE_COUNT : COUNT;
  const server = { keepAliveTimeoutMs: '10m', bodyTimeoutMs: '10m', maxConnections: 20_000 };
  const tables = [];
  for (const kind of ['http', 'websocket']) {
    const starts = [
      ['uws-raw', () => bench.peers(node, ['uws-raw'])],
      ['tidegate-uws', () => bench.peers(node, ['tidegate-uws'], { tidegate: { server } })],
      ['tidegate-node', () => bench.peers(node, ['tidegate-node'], { tidegate: { server } })],
      ...(kind === 'http' ? [['nginx', () => bench.peers(node, ['nginx'])]] : []),
    ];
    const measure = async ({ begin }) => {
      const [peer] = await begin();
      if (peer === undefined) return null;
      // first some, so that what is allocated once does not count for each
      const resting = filesOf(peer);
      await leave(await hold(peer, Math.min(WARM_UP, count), kind));
      await until(() => filesOf(peer) <= resting + SLACK, () => `${peer.name} keeps connections that ended`);
      await bench.check(peer, call);
      const before = rssKib(peer.pid);
      const many = await hold(peer, count, kind);
      await bench.check(peer, call);
      const kib = (rssKib(peer.pid) - before) / count;
      await leave(many);
      await bench.drop(peer);
      return { kibEach: kib };
    };
    const rounds = await bench.interleave(starts.map(([name, begin]) => ({ name, begin })), measure);
    const found = Object.fromEntries(Object.entries(rounds).filter(([, list]) => list[0] !== null));
    tables.push(tableOf(`${count} idle connections, ${kind}`, found, null));
  }
  return tables;
}
