// Fan-out of `newHeads` to many WebSocket connections: processor time per delivered notice, delay, memory per connection, beside raw
// uWebSockets.js that publishes the same bytes, in one interleaved run; and the delay that comes on top of a subscription to the node.
//   node native-bench/fanout.mjs [--connections 1000] [--blocks 50] [--rounds 6] [--clients 4] [--peers uws-raw,tidegate-uws,tidegate-node] [--out FILE]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tidegate } from './peers.mjs';
import { accepts, end, freePort, rssKib, run } from './procs.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** Connections that are opened and thrown away first, so that no buffer or compiled code is counted for a connection. */
const WARM_UP = 200;
const DEFAULTS = { connections: 1000, blocks: 50, rounds: 6, clients: 4, peers: ['uws-raw', 'tidegate-uws', 'tidegate-node'] };

const sorted = (list) => [...list].sort((a, b) => a - b);
const quantile = (list, q) => list[Math.min(list.length - 1, Math.floor(list.length * q))];
const spread = (list) => ({ median: quantile(sorted(list), 0.5), min: Math.min(...list), max: Math.max(...list) });
/** Processor time of a process and its threads, in microseconds: finer than the ticks of `/proc/PID/stat`. */
function threadsCpuUs(pid) {
  let sumNs = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) sumNs += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
  return sumNs / 1000;
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function raw(nodePort) {
  const port = await freePort();
  const child = run(process.execPath, [here('fanoutRaw.mjs'), String(port), String(nodePort)]);
  await accepts(port, child);
  return { child, port };
}

async function gateway(nodePort, engine) {
  const { child, url } = await tidegate(nodePort, engine);
  return { child, port: Number(new URL(url).port) };
}

const STARTS = {
  'uws-raw': raw,
  'tidegate-uws': (nodePort) => gateway(nodePort, 'uws'),
  'tidegate-node': (nodePort) => gateway(nodePort, 'node'),
};

/** A helper process; `ask` resolves with the next thing that it says. */
class Helper {
  #said = [];
  #failure = null;
  #waiting = [];

  constructor(script) {
    this.child = fork(here(script));
    this.child.on('message', (message) => {
      if (message.error === undefined) this.#said.push(message);
      else this.#failure ??= new Error(message.error);
      this.#hand();
    });
    this.child.on('exit', () => {
      this.#failure ??= new Error(`${script} ended`);
      this.#hand();
    });
  }

  /** The next thing that it says. */
  next() {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#hand();
    });
  }

  #hand() {
    while (this.#waiting.length > 0 && this.#said.length > 0) this.#waiting.shift().resolve(this.#said.shift());
    if (this.#failure !== null) for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }

  ask(message) {
    this.child.send(message);
    return this.next();
  }

  async end() {
    if (this.child.connected) this.child.disconnect();
    if (this.child.exitCode === null) await once(this.child, 'exit');
  }
}

/** A peer with a node of its own behind it, and the clients that are connected to it and to its node. */
class Measured {
  /** Bytes per connection. */
  memory = { idle: 0, subscribed: 0 };

  constructor(name, connections, clients) {
    this.name = name;
    this.connections = connections;
    this.clients = clients;
    this.node = new Helper('fanoutNode.mjs');
  }

  async start() {
    const { port } = await this.node.next();
    Object.assign(this, await STARTS[this.name](port));
    const first = this.clients.slice(0, 1);
    await this.#open(`direct ${this.name}`, port, 1, first);
    await this.#all({ cmd: 'subscribe', peer: `direct ${this.name}` }, first);
    await this.#connect();
  }

  async stop() {
    await this.node.end();
    if (this.child !== undefined) await end(this.child);
  }

  /** One block to all connections. Delays in ms since the node sent it, shortest first. */
  async block() {
    const { name } = this;
    await this.#all({ cmd: 'arm', peer: name });
    await this.#all({ cmd: 'arm', peer: `direct ${name}` }, this.clients.slice(0, 1));
    const { hash, sentMs } = await this.node.ask({});
    const said = await Promise.all([...this.clients, this.clients[0]].map((client) => client.next()));
    if (!said.every(({ text }) => text.includes(hash))) throw new Error(`${name} told of another block`);
    const delays = sorted(said.filter(({ peer }) => peer === name).flatMap(({ arrivals }) => arrivals.map((at) => at - sentMs)));
    return { delays, directMs: said.find(({ peer }) => peer !== name).arrivals[0] - sentMs };
  }

  async round(blocks) {
    await this.block();
    const [all, added, direct] = [[], [], []];
    const beforeUs = threadsCpuUs(this.child.pid);
    for (let i = 0; i < blocks; i++) {
      const { delays, directMs } = await this.block();
      for (const delay of delays) all.push(delay);
      direct.push(directMs);
      added.push(delays[0] - directMs);
    }
    const usPerNotice = (threadsCpuUs(this.child.pid) - beforeUs) / (blocks * this.connections);
    const delays = sorted(all);
    return { usPerNotice, p50Ms: quantile(delays, 0.5), p99Ms: quantile(delays, 0.99), directMs: spread(direct).median, addedMs: spread(added).median };
  }

  /** Opens all connections, and takes the memory of one: open, and subscribed. */
  async #connect() {
    const { name, port, connections } = this;
    const { pid } = this.child;
    await this.#open(name, port, WARM_UP);
    await this.#all({ cmd: 'subscribe', peer: name });
    for (let i = 0; i < 20; i++) await this.block();
    await this.#all({ cmd: 'close', peer: name });
    const rested = async () => {
      await pause(1000);
      return rssKib(pid) * 1024;
    };
    const empty = await rested();
    await this.#open(name, port, connections);
    const idle = ((await rested()) - empty) / connections;
    await this.#all({ cmd: 'subscribe', peer: name });
    this.memory = { idle, subscribed: ((await rested()) - empty) / connections };
  }

  #all(message, clients = this.clients) {
    return Promise.all(clients.map((client) => client.ask(message)));
  }

  async #open(peer, port, count, clients = this.clients) {
    const share = Math.ceil(count / clients.length);
    await Promise.all(clients.map((client, i) => client.ask({ cmd: 'open', peer, port, count: Math.min(share, count - i * share) })));
  }
}

/** Figures of each peer, and its ratio to the first peer's round by round. */
function summary({ rounds, memory }, base) {
  const of = (key) => spread(rounds.map((round) => round[key]));
  const figures = Object.fromEntries(Object.keys(rounds[0]).map((key) => [key, of(key)]));
  return { ...figures, usRatio: spread(rounds.map(({ usPerNotice }, i) => usPerNotice / base[i].usPerNotice)), memoryBytes: memory };
}

/**
 * Runs everybody once per round, each round beginning with the next one.
 * @param options members of DEFAULTS; `connections` at least 200
 * @returns per peer: µs of processor time per delivered notice and its ratio to the first peer's, delays since the node sent the block,
 * what the first delivery adds to a subscription at the node, bytes of memory per connection
 */
export async function fanout(options = {}) {
  const { connections, blocks, rounds, clients: processes, peers: names } = { ...DEFAULTS, ...options };
  const loadBefore = loadavg();
  const clients = Array.from({ length: processes }, () => new Helper('fanoutClients.mjs'));
  const peers = [];
  try {
    for (const name of names) {
      if (!Object.hasOwn(STARTS, name)) throw new Error(`no peer ${name}: ${Object.keys(STARTS).join(', ')}`);
      const peer = new Measured(name, connections, clients);
      peers.push(peer);
      await peer.start();
    }
    const all = peers.map((peer) => ({ ...peer, rounds: [] }));
    for (let i = 0; i < rounds; i++) {
      for (let n = 0; n < peers.length; n++) {
        const at = (i + n) % peers.length;
        all[at].rounds.push(await peers[at].round(blocks));
      }
    }
    const results = Object.fromEntries(all.map((peer) => [peer.name, summary(peer, all[0].rounds)]));
    const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, loadBefore, loadAfter: loadavg() };
    return { case: 'fanout', options: { connections, blocks, rounds, clients: processes }, machine, results };
  } finally {
    for (const peer of peers) await peer.stop();
    for (const client of clients) await client.end();
  }
}

/** The figures as a table. */
export function fanoutTable({ options, results }) {
  const cell = (n, digits, width) => n.toFixed(digits).padStart(width);
  const lines = Object.entries(results).map(([name, r]) => {
    const figures = [[r.usPerNotice, 2], [r.usRatio, 2], [r.p50Ms, 1], [r.p99Ms, 1], [r.directMs, 2], [r.addedMs, 2]].map(([{ median }, digits]) => cell(median, digits, 9));
    return `${name.padEnd(14)}${figures.join('')}${cell(r.memoryBytes.idle / 1024, 1, 10)}${cell(r.memoryBytes.subscribed / 1024, 1, 10)}`;
  });
  return [`${options.connections} connections, medians of ${options.rounds} rounds of ${options.blocks} blocks`, 'peer          µs/notice    ratio   p50 ms   p99 ms   direct    added  idle KiB  subsc. KiB', ...lines, ''].join('\n');
}

async function main() {
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(['connections', 'blocks', 'rounds', 'clients'].map((name) => [name, { type: 'string', default: String(DEFAULTS[name]) }])),
      peers: { type: 'string', default: DEFAULTS.peers.join() },
      out: { type: 'string' },
    },
  });
  const { out, peers, ...numbers } = values;
  const result = await fanout({ ...Object.fromEntries(Object.entries(numbers).map(([name, text]) => [name, Number(text)])), peers: peers.split(',') });
  process.stdout.write(fanoutTable(result));
  if (out === undefined) return;
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(result, null, 1)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
}
