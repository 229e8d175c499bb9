// What a case works with: programs that end with it, rounds that take turns, checked answers.
import { haproxy, nginx, rawUws, stub, tidegate } from '../peers.mjs';
import { cpuOf, end, rssKib } from '../procs.mjs';
import { checkAnswers } from './answers.mjs';
import { tableOf } from './figures.mjs';
import { erpc, nodecore, proxyd } from './gateways.mjs';
import { wrk } from './wrk.mjs';

/** Seconds of load before a peer is measured. */
export const WARM_UP_S = 3;

export class Bench {
  #peers = [];
  #options;
  /** Answers compared in full so far. */
  checked = 0;

  /** @param options { rounds, seconds, isSmoke, paths: {erpc, proxyd, nodecore}, stub } */
  constructor(options) {
    this.#options = options;
  }

  get rounds() {
    return this.#options.rounds;
  }

  get isSmoke() {
    return this.#options.isSmoke;
  }

  /** Seconds of one measurement: `share` of what was asked for. */
  seconds(share = 1) {
    return this.#options.seconds * share;
  }

  /** All of a list, or the first of it in a smoke. */
  some(list) {
    return this.isSmoke ? list.slice(0, 1) : list;
  }

  /** A program that ends with the case. */
  keep(peer) {
    if (peer !== null) this.#peers.push(peer);
    return peer;
  }

  async drop(peer) {
    this.#peers.splice(this.#peers.indexOf(peer), 1);
    await end(peer.child);
  }

  async stub(set = {}, name = 'stub') {
    return this.keep(await stub({ ...set, ...this.#options.stub }, name));
  }

  async tidegate(node, engine, options) {
    return this.keep(await tidegate(node.port, engine, options));
  }

  /** Starts those of the names that are installed, or named by path, in front of a stub. */
  async peers(node, names, options = {}) {
    const { paths } = this.#options;
    const starts = {
      haproxy: () => haproxy(node.port),
      nginx: () => nginx(node.port),
      'nginx-cache': () => nginx(node.port, { isCaching: true }),
      'uws-raw': () => rawUws(options.resultBytes),
      'tidegate-uws': () => tidegate(node.port, 'uws', options.tidegate),
      'tidegate-node': () => tidegate(node.port, 'node', options.tidegate),
      erpc: () => erpc(paths.erpc, node.port),
      proxyd: () => proxyd(paths.proxyd, node.port),
      nodecore: () => nodecore(paths.nodecore, node.port),
    };
    const found = [];
    for (const name of names) {
      const peer = await starts[name]();
      if (peer !== null) found.push(this.keep(peer));
    }
    return found;
  }

  async check(peer, call) {
    const headers = await checkAnswers(peer, call);
    this.checked += headers.length;
    return headers;
  }

  /** One measurement of wrk; processor time of the peer per call, a batch being several. */
  async wrkRound(peer, call, options) {
    const before = cpuOf(peer.pid);
    const told = await wrk(peer, call, { seconds: this.seconds(), ...options });
    const after = cpuOf(peer.pid);
    const calls = told.requests * call.size;
    this.checked += told.checked;
    const [userUs, systemUs] = ['userUs', 'systemUs'].map((key) => (after[key] - before[key]) / calls);
    const callsPerS = calls / (told.durationUs / 1e6);
    return { callsPerS, usPerCall: userUs + systemUs, userUs, systemUs, p50Us: told.p50Us, p99Us: told.p99Us, answerBytes: told.bytes / told.requests, rssMib: rssKib(peer.pid) / 1024 };
  }

  /** Each peer once in every round, each round beginning with the next peer. @param measure peer -> figures */
  async interleave(peers, measure) {
    const rounds = Object.fromEntries(peers.map(({ name }) => [name, []]));
    for (let i = 0; i < this.rounds; i++) {
      for (let n = 0; n < peers.length; n++) {
        const peer = peers[(i + n) % peers.length];
        rounds[peer.name].push(await measure(peer, i));
      }
    }
    return rounds;
  }

  /** A table of wrk's figures: every answer of the warm-up is compared, and a sample before and after. */
  async wrkTable({ title, base, peers, call, connections, headers, seconds = this.seconds() }) {
    for (const peer of peers) {
      await this.check(peer, call);
      if (this.isSmoke) continue;
      await this.wrkRound(peer, call, { connections, headers, isChecked: true, seconds: Math.max(1, seconds / 2) });
      // a fresh process compiles its own code for seconds
      await this.wrkRound(peer, call, { connections, headers, seconds: WARM_UP_S });
    }
    // a smoke has measured what it needs: that all is right
    const rounds = await this.interleave(peers, (peer) => this.wrkRound(peer, call, { connections, headers, seconds, isChecked: this.isSmoke }));
    for (const peer of peers) await this.check(peer, call);
    return tableOf(title, rounds, base);
  }

  async close() {
    for (const peer of this.#peers.splice(0).reverse()) await end(peer.child);
  }
}
