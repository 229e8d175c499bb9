import { seededRandom } from '../../src/base/random.ts';
import type { Random } from '../../src/base/random.ts';
import { HeadTracker } from '../../src/chain/heads.ts';
import { ChainFollower } from '../../src/subs/follower.ts';
import type { Member } from '../../src/subs/member.ts';
import { SubscriptionMux } from '../../src/subs/mux.ts';
import type { Seat } from '../../src/subs/room.ts';
import { readTopic } from '../../src/subs/topic.ts';
import type { Topic } from '../../src/subs/topic.ts';
import { ADDRESSES, headOf, sealOf, SimChain, TOPICS } from './subsChain.ts';
import type { SimBlock } from './subsChain.ts';
import { Stream } from '../help/subsStream.ts';
import { SimSocket } from './subsClient.ts';
import { SubsNode } from './subsNode.ts';
import { drawPlan } from './subsPlan.ts';
import type { SubsPlan } from './subsPlan.ts';
import { VirtualWorld } from './world.ts';

export interface SubsRun {
  readonly plan: SubsPlan;
  readonly faults: readonly string[];
  /** Results that were told. */
  readonly notices: number;
  /** Streams that were told of a loss, or cut for being slow. */
  readonly excused: number;
  readonly streams: number;
}

/** Time after the last trouble in which everything must come right. */
const QUIET_MS = 40_000;
/** An engine's own limit, far above the soft one. */
const ENGINE_BYTES = 4_000_000;

/** One seed: nodes with their troubles, the real trusted head, follower and mux, and clients who check what they are told. */
class SubsSimulation {
  readonly plan: SubsPlan;
  readonly faults: string[] = [];
  readonly #random: Random;
  readonly #world = new VirtualWorld();
  readonly #chain: SimChain;
  readonly #heads = new HeadTracker({ quorum: 'auto', maxStep: 1000, reorgDepth: 128, blockTimeMs: 0 });
  readonly #nodes: readonly SubsNode[];
  readonly #follower: ChainFollower;
  readonly #mux: SubscriptionMux;
  readonly #clients: { readonly socket: SimSocket; readonly member: Member<Seat> }[] = [];
  readonly #streams: Stream[] = [];
  #ids = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.plan = drawPlan(this.#random);
    this.#chain = new SimChain(this.#random);
    const told = {
      head: (node: number, block: SimBlock) => this.#onHead(node, block),
      pushed: (node: number, block: SimBlock) => this.#follower.onPushed(node, block.header, block.hash, this.#world.nowMs),
    };
    const parts = { world: this.#world, chain: this.#chain, random: this.#random, told };
    this.#nodes = this.plan.nodes.map((plan, index) => new SubsNode(index, plan, parts));
    this.#follower = this.#openFollower();
    this.#mux = this.#openMux();
  }

  run(): SubsRun {
    const { plan } = this;
    const endMs = plan.troubleMs + QUIET_MS;
    this.#every(plan.blockMs, plan.troubleMs + 5000, () => this.#mine());
    this.#every(250, endMs, () => this.#poll());
    this.#every(100, endMs, () => this.#tick());
    for (let i = 0; i < plan.clients; i++) this.#world.after(this.#random() * plan.troubleMs * 0.7, () => this.#join());
    this.#every(3000, plan.troubleMs, () => this.#churn());
    this.#world.after(plan.troubleMs, () => {
      for (const { socket } of this.#clients) socket.bytesPerMs = 1000;
    });
    this.#world.run(endMs);
    const canonical = this.#chain.canonical();
    const trusted = this.#heads.trusted();
    if (trusted?.hash !== this.#chain.tip.hash) this.faults.push(`trusted head ${trusted?.number} is not the tip ${this.#chain.tip.number}`);
    for (const stream of this.#streams) stream.conclude(canonical, this.#chain.tip.number);
    const notices = this.#streams.reduce((sum, { seen }) => sum + seen, 0);
    return { plan, faults: this.faults, notices, excused: this.#streams.filter(({ excused }) => excused).length, streams: this.#streams.length };
  }

  #openFollower(): ChainFollower {
    const { plan } = this;
    const heads = this.#heads;
    const options = {
      hedgeMs: 250, restMs: { baseMs: 50, maxMs: 1000 }, settleMs: 10 * 60_000, trustBloom: true,
      windowBlocks: plan.windowBlocks, maxKeptBytes: 1_000_000, tipRace: plan.tipRace,
    };
    return new ChainFollower(options, {
      trusted: { get head() { return heads.trusted(); }, hashAt: (number) => heads.hashAt(number) },
      nodesFor: (number) => this.#nodesFor(number),
      ask: (token, node, asked) => this.#nodes[node]?.ask(asked, (value, failed) => {
        if (failed) this.#follower.onFailure(token, this.#world.nowMs);
        else this.#follower.onAnswer(token, value, this.#world.nowMs);
      }),
      nowMs: () => this.#world.nowMs,
      after: (delayMs, run) => this.#world.after(delayMs, run),
      failedOver: () => undefined,
      headerHash: sealOf,
      refused: () => undefined,
      backfilled: () => undefined,
      arrived: () => undefined,
      serves: () => true,
      deliver: (batch) => this.#mux.deliver(batch),
      lost: (notice) => {
        if (plan.windowBlocks >= 256 && notice.loss.kind === 'gap') this.faults.push(`lost ${JSON.stringify(notice)}`);
        this.#mux.lost(notice);
      },
    });
  }

  #openMux(): SubscriptionMux {
    const { softLimitBytes, hardLimitBytes, policy } = this.plan;
    return new SubscriptionMux({ softLimitBytes, hardLimitBytes, policy, graceMs: 2000, maxPerConnection: 5 }, {
      open: (topic) => this.#follower.open(topic),
      close: (topic) => this.#follower.close(topic),
      serial: () => this.#follower.serial,
      publish: (id, message) => {
        for (const { socket } of this.#clients) if (socket.joined.has(id)) socket.send(message);
      },
      newId: () => `0x${(++this.#ids).toString(16)}`,
      after: (delayMs, run) => this.#world.after(delayMs, run),
      counted: () => undefined,
      sent: () => undefined,
      slow: (action) => {
        if (action === 'conflated') for (const { socket } of this.#clients) if (socket.lossy || socket.bufferedBytes() > softLimitBytes) for (const stream of socket.streams.values()) stream.excused = true;
      },
    });
  }

  #nodesFor(number: number): readonly number[] {
    const order = this.#nodes.map(({ index }) => index).sort((a, b) => (this.#heads.headOf(b)?.number ?? -1) - (this.#heads.headOf(a)?.number ?? -1));
    return order.filter((index) => (this.#heads.headOf(index)?.number ?? -1) >= number);
  }

  #every(periodMs: number, untilMs: number, run: () => void): void {
    const beat = (): void => {
      if (this.#world.nowMs >= untilMs) return;
      run();
      this.#world.after(periodMs, beat);
    };
    this.#world.after(periodMs, beat);
  }

  #mine(): void {
    if (this.#random() < this.plan.reorgShare) this.#chain.reorg(1 + Math.floor(this.#random() * this.plan.maxReorg));
    else this.#chain.grow();
    for (const node of this.#nodes) node.onTip(this.#chain.tip);
  }

  #onHead(node: number, block: SimBlock): void {
    this.#heads.onHead(node, headOf(block), this.#world.nowMs);
    this.#tick();
  }

  #poll(): void {
    for (const node of this.#nodes) {
      if (node.is('dead') || node.is('mute')) this.#heads.forget(node.index);
      else {
        node.poll();
        // like a probe that ties a loose head
        for (const number of this.#heads.checkNumbers(node.index)) {
          for (let b: SimBlock | null = node.tip; b !== null; b = b.parent) if (b.number === number) this.#heads.onMark(node.index, { number, hash: b.hash });
        }
      }
    }
  }

  #tick(): void {
    for (const event of this.#heads.tick(this.#world.nowMs)) {
      if (event.kind === 'advanced' || event.kind === 'reorg') this.#follower.onHead(event.number, event.hash, this.#world.nowMs);
    }
  }

  #join(): void {
    const isSlow = this.#random() < this.plan.slowShare;
    const socket = new SimSocket(this.#world, { bytesPerMs: isSlow ? 0.3 + this.#random() * 3 : 1000, maxBuffered: ENGINE_BYTES }, this.faults);
    const member = this.#mux.attach(socket);
    socket.onDrain = () => this.#mux.onDrain(member);
    this.#clients.push({ socket, member });
    for (let i = 0; i < 3; i++) this.#subscribe({ socket, member });
  }

  #subscribe({ socket, member }: { readonly socket: SimSocket; readonly member: Member<Seat> }): void {
    const topic = this.#drawTopic();
    const trusted = this.#heads.trusted()?.number ?? -1;
    if (trusted < 0) return;
    const id = this.#mux.subscribe(member, topic);
    if (id === null) return;
    // what `latest` is on that connection
    const since = topic.kind === 'newHeads' ? Math.max(trusted, this.#mux.toldNumber(member)) : trusted;
    const stream = new Stream(topic, since, this.faults);
    this.#streams.push(stream);
    socket.streams.set(id, stream);
  }

  #drawTopic(): Topic {
    const random = this.#random;
    const some = (from: readonly string[]): string[] => from.filter(() => random() < 0.4);
    const params = random() < 0.35 ? ['newHeads'] : ['logs', { address: random() < 0.5 ? [] : some(ADDRESSES), topics: Array.from({ length: Math.floor(random() * 3) }, () => (random() < 0.5 ? null : some(TOPICS))) }];
    return readTopic(JSON.stringify(params), 100) as Topic;
  }

  /** A client leaves, drops a subscription or takes another. */
  #churn(): void {
    const client = this.#clients[Math.floor(this.#random() * this.#clients.length)];
    if (client === undefined || client.socket.ended) return;
    const [id] = client.socket.streams.keys();
    const what = this.#random();
    if (what < 0.2) {
      client.socket.end();
      this.#mux.detach(client.member);
    } else if (what < 0.6 && id !== undefined) {
      if (!this.#mux.unsubscribe(client.member, id)) this.faults.push('a subscription was not there');
      const stream = client.socket.streams.get(id);
      if (stream !== undefined) stream.excused = true;
      client.socket.streams.delete(id);
    } else this.#subscribe(client);
  }
}

export function simulateSubs(seed: number): SubsRun {
  return new SubsSimulation(seed).run();
}
