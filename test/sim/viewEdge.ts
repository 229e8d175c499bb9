import type { Random } from '../../src/base/random.ts';
import { seededRandom } from '../../src/base/random.ts';
import { evmCatalog } from '../../src/chain/evm/evmCatalog.ts';
import type { Outcome } from '../../src/chain/outcome.ts';
import { HeadsView } from '../../src/chain/view.ts';
import { configFromValue } from '../../src/config/parse.ts';
import type { Config } from '../../src/config/schema.ts';
import type { EdgeAnswer } from '../../src/edge/port.ts';
import { ChainRuntime } from '../../src/gateway/chain.ts';
import { ChainFilters } from '../../src/gateway/filters/chainFilters.ts';
import type { Judging } from '../../src/gateway/judging.ts';
import type { UpstreamNode } from '../../src/gateway/node.ts';
import { Paths } from '../../src/gateway/paths.ts';
import { Publisher } from '../../src/gateway/publisher.ts';
import { Server } from '../../src/gateway/serve.ts';
import { ChainJudge } from '../../src/health/judge.ts';
import type { Logger } from '../../src/observe/log.ts';
import { GatewayMetrics } from '../../src/observe/metrics.ts';
import type { CallSink, Exchange } from '../../src/upstream/port.ts';
import { HEALTH, JUDGE, upstreamOf } from '../help/judge.ts';
import type { ViewNode } from './viewChain.ts';
import type { VirtualWorld } from './world.ts';

const BEAT_MS = 100;
const MUTE: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => MUTE };
const REFUSED: Outcome = { class: 'transport', retry: 'other', blame: true, unsent: true, holdMs: 0 };
const catalog = evmCatalog();

function configOf(nodes: number, pinning: string): Config {
  const upstreams = Array.from({ length: nodes }, (_, i) => ({ name: `n${i}`, http: `http://127.0.0.1:${i + 1}` }));
  const parsed = configFromValue({ chains: [{ name: 'test', chainId: 1, upstreams, view: { pinning } }] });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

/** The serving side with nodes in place of sockets. */
class SimRuntime extends ChainRuntime {
  nodeAt: (index: number) => unknown = () => undefined;

  override node(index: number): UpstreamNode | undefined {
    return this.nodeAt(index) as UpstreamNode | undefined;
  }
}

/** The production server, chain and judge of one process, over simulated nodes in virtual time. */
export class ViewEdge implements Judging {
  readonly chain: SimRuntime;
  readonly view: HeadsView;
  readonly #server: Server;
  readonly #judge: ChainJudge;
  readonly #nodes: readonly ViewNode[];
  readonly #world: VirtualWorld;
  readonly #told: string[] = [];
  #rushing = false;

  constructor(setup: { readonly nodes: readonly ViewNode[]; readonly pinning: string; readonly seed: number }, world: VirtualWorld) {
    const { nodes, pinning, seed } = setup;
    const random: Random = seededRandom(seed);
    this.#nodes = nodes;
    this.#world = world;
    const config = configOf(nodes.length, pinning);
    const { server, access, chains } = config;
    const [chainConfig] = chains;
    if (chainConfig === undefined) throw new Error('no chain');
    this.#judge = new ChainJudge({ ...JUDGE, heads: { ...JUDGE.heads, blockTimeMs: 0 } }, nodes.map((_, i) => upstreamOf(`n${i}`)), random, 0);
    this.view = new HeadsView(this.#judge.heads);
    const gatewayWorld = { clock: { nowMs: () => world.nowMs, wallMs: () => world.nowMs }, timers: world, random, log: MUTE };
    const metrics = new GatewayMetrics({ version: 'sim', processMetrics: false });
    const series = metrics.addChain('test', catalog.specs().map(({ name }) => name), nodes.map((_, i) => `n${i}`));
    const feed = () => ({ open: () => undefined, close: () => undefined, serial: () => 0 });
    this.chain = new SimRuntime(chainConfig, {
      world: gatewayWorld, catalog, metrics: series, judging: this, view: this.view,
      filters: new ChainFilters(chainConfig.logs, { world: gatewayWorld, catalog, metrics: series.logs, view: this.view, feed: feed as never }),
      subs: { publisher: new Publisher(), webSocket: server.webSocket, feed: feed as never },
    });
    this.chain.nodeAt = (index) => ({ client: { call: (body: string, sink: CallSink) => this.#call(index, body, sink) } });
    const paths = new Paths<ChainRuntime>();
    paths.set([{ name: 'test', chainId: 1, target: this.chain }]);
    this.#server = new Server({ world: gatewayWorld, server, access, sampleEvery: 0, metrics, paths });
  }

  start(): void {
    this.#beat();
    for (const [index, node] of this.#nodes.entries()) if (node.streams) this.#stream(index, node);
    this.#world.after(BEAT_MS, () => this.#tick());
  }

  /** One HTTP request of a client. @param done is told once */
  post(body: unknown, minBlock: string, done: (answer: EdgeAnswer) => void): void {
    const head = { method: 'POST', path: '/', query: '', minBlock, cacheControl: '', header: () => '', remoteAddress: () => '127.0.0.1' };
    const sink = this.#server.onRequest(head);
    if (!('onBody' in sink)) return done(sink);
    const bytes = Buffer.from(JSON.stringify(body));
    // as the uws engine does it: the answer's bytes are the sender's again afterwards
    const answer = (told: EdgeAnswer): void => done({ ...told, body: Buffer.from(told.body as Uint8Array) });
    const exchange = { answer, remoteAddress: () => '127.0.0.1', gone: false, copiesBelow: 65_536 };
    if (sink.glance?.(bytes, exchange) !== true) sink.onBody(bytes, exchange);
  }

  onOutcome(index: number, outcome: Outcome, latencyMs: number, nowMs: number): void {
    if (this.#judge.onOutcome(index, outcome, latencyMs, nowMs)) this.#rush();
  }

  onUnsupported(): void {}

  onPruned(): void {}

  onSent(): void {}

  onCompared(): void {}

  onFlush(): void {}

  onWanted(): void {
    if (this.#judge.look(this.#world.nowMs)) this.#rush();
  }

  #tick(): void {
    this.#beat();
    this.#world.after(BEAT_MS, () => this.#tick());
  }

  #beat(): void {
    const before = this.chain.table;
    const { table, events, dueProbes } = this.#judge.tick(this.#world.nowMs);
    for (const event of events) if (event.kind === 'head') this.view.onEvent(event.head);
    if (before !== table) this.chain.take(table);
    for (const index of dueProbes) this.#probe(index);
  }

  #rush(): void {
    if (this.#rushing) return;
    this.#rushing = true;
    this.#world.after(0, () => {
      this.#rushing = false;
      this.#beat();
    });
  }

  #probe(index: number): void {
    const node = this.#nodes[index] as ViewNode;
    const numbers = this.#judge.checkNumbers(index);
    this.#world.after(node.latencyMs / 2, () => {
      const { nowMs } = this.#world;
      const dead = node.trouble(nowMs)?.kind === 'dead';
      const head = node.head(nowMs);
      const marks = numbers.filter((number) => number <= head.number).map((number) => node.mark(number, nowMs));
      this.#world.after(dead ? HEALTH.probeTimeoutMs : node.latencyMs / 2, () => {
        if (!dead) this.chain.onAnswered(index);
        const result = dead ? ({ kind: 'timeout', detail: 'timeout' } as const) : ({ kind: 'ok', head, marks, syncing: false, peers: 1, chainId: 1, clientVersion: 'sim', latencyMs: node.latencyMs } as const);
        this.#judge.onProbe(index, result, this.#world.nowMs);
        this.#rush();
      });
    });
  }

  /** Tells of a node's new heads, a little late. */
  #stream(index: number, node: ViewNode): void {
    const { nowMs } = this.#world;
    const head = node.head(nowMs);
    if (head.hash !== this.#told[index] && node.trouble(nowMs)?.kind !== 'dead') {
      this.#told[index] = head.hash;
      this.#world.after(node.latencyMs / 2, () => {
        this.#judge.onHead(index, head, this.#world.nowMs);
        this.#rush();
      });
    }
    this.#world.after(20, () => this.#stream(index, node));
  }

  #call(index: number, body: string, sink: CallSink): Exchange {
    const node = this.#nodes[index] as ViewNode;
    let over = false;
    this.#world.after(node.latencyMs / 2, () => {
      if (over) return;
      const isDead = node.trouble(this.#world.nowMs)?.kind === 'dead';
      const answer = isDead ? null : node.answer(body, this.#world.nowMs);
      this.#world.after(node.latencyMs / 2, () => {
        if (over) return;
        over = true;
        if (answer === null) sink.onFailure(REFUSED, 'dead');
        else sink.onReply(200, answer, 0);
      });
    });
    return { waiting: false, cancel: () => { over = true; } };
  }
}
