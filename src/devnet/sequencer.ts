import { buildBlock } from './build.ts';
import { Feeder, type FeederLimits, type FeedState } from './feeder.ts';
import type { FedNode, Ledger } from './ledger.ts';
import type { BlockLog } from './log.ts';
import { PendingPool } from './pool.ts';
import { type Report, reasonOf } from './report.ts';
import type { BlockRecord } from './record.ts';
import { Mutex } from './signal.ts';

export interface SequencerOptions {
  /** Between two blocks; 0 = only on `blockNow`. */
  readonly blockTimeMs: number;
  readonly report: Report;
  readonly limits: FeederLimits;
}

/** What is known of one node. */
export interface NodeStatus {
  readonly name: string;
  readonly state: FeedState;
  /** Newest block that it was seen to have. */
  readonly height: number;
  /** Block that it should be at. */
  readonly target: number;
  readonly leader: boolean;
}

/**
 * Makes one chain of several anvils, which know nothing of each other. A client may send a transaction to any node: it is
 * picked up there and given to the others. At each block time one node, the leader, makes a block of what its pool holds;
 * the block goes to the log; every other node is fed from its own height until it has the same hash. When the leader dies
 * or falls behind, the next node that is at the tip leads. Lost with a node is what it had accepted a moment before and
 * nobody had picked up yet.
 */
export class Sequencer {
  readonly #log: BlockLog;
  readonly #ledger: Ledger;
  readonly #options: SequencerOptions;
  readonly #feeders: readonly Feeder[];
  readonly #mutex = new Mutex();
  #leader: Feeder | null = null;
  #stalled = false;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(nodes: readonly FedNode[], log: BlockLog, options: SequencerOptions) {
    this.#log = log;
    this.#options = options;
    this.#ledger = {
      log,
      pool: new PendingPool(),
      report: options.report,
      onPickedUp: () => this.#wakeAll(),
      onIrreproducible: (name, number) => this.#irreproducible(name, number),
    };
    this.#feeders = nodes.map((node) => new Feeder(node, this.#ledger, options.limits));
  }

  /** Number of the newest block. */
  get tip(): number {
    return this.#log.tip;
  }

  /** Hash of block `number`, 0 to `tip`. @throws RangeError outside */
  hashOf(number: number): string {
    return this.#log.hashOf(number);
  }

  /** Transactions that wait for a block. */
  get pending(): number {
    return this.#ledger.pool.size;
  }

  start(): void {
    for (const feeder of this.#feeders) feeder.start();
    if (this.#options.blockTimeMs > 0) this.#arm(performance.now() + this.#options.blockTimeMs);
  }

  /** Stops making and feeding blocks. The nodes and the log stay as they are. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.all(this.#feeders.map((feeder) => feeder.close()));
    await this.#mutex.run(() => Promise.resolve());
  }

  /**
   * Makes a block now, beside the block time.
   * @throws Error when no node can make one, or the log is full
   */
  blockNow(): Promise<BlockRecord> {
    return this.#mutex.run(() => this.#block());
  }

  /** Keeps node `index` exactly `blocks` behind the tip, from the moment the tip is that far ahead; 0 lets it catch up. */
  hold(index: number, blocks: number): void {
    if (!Number.isInteger(blocks) || blocks < 0) throw new RangeError(`blocks must be a whole number from 0, not ${blocks}`);
    this.#feeder(index).hold(blocks);
  }

  /** Resolves when node `index` has block `number` and all before it; rejects when the devnet closes before. */
  reached(index: number, number: number): Promise<void> {
    return this.#feeder(index).reached(number);
  }

  /** Tells that the process of node `index` is gone. */
  nodeDown(index: number): void {
    this.#feeder(index).down();
  }

  /** Tells that the process of node `index` runs. */
  nodeUp(index: number): void {
    this.#feeder(index).wake();
  }

  status(): NodeStatus[] {
    return this.#feeders.map((feeder) => ({
      name: feeder.node.name,
      state: feeder.state,
      height: feeder.height,
      target: feeder.target,
      leader: feeder === this.#leader && feeder.canLead,
    }));
  }

  #feeder(index: number): Feeder {
    const feeder = this.#feeders[index];
    if (feeder === undefined) throw new RangeError(`there is no node ${index}: the devnet has ${this.#feeders.length}`);
    return feeder;
  }

  #arm(atMs: number): void {
    const tick = async (): Promise<void> => {
      await this.blockNow().catch((error: unknown) => this.#stall(error));
      const nextMs = atMs + this.#options.blockTimeMs;
      if (!this.#closed) this.#arm(Math.max(nextMs, performance.now()));
    };
    this.#timer = setTimeout(() => void tick(), Math.max(0, atMs - performance.now()));
  }

  async #block(): Promise<BlockRecord> {
    if (this.#closed) throw new Error('the devnet is closed');
    if (this.#log.full) throw new Error('the block log is full; start with a new data directory');
    const timestamp = Math.max(this.#log.timestampOf(this.tip) + 1, Math.floor(Date.now() / 1000));
    for (const feeder of this.#candidates()) {
      try {
        const record = await buildBlock(feeder, this.#ledger, timestamp);
        this.#leads(feeder);
        this.#wakeAll();
        return record;
      } catch (error) {
        if (this.#closed) break;
        feeder.distrust();
        this.#options.report('warn', 'a node could not make a block', { node: feeder.node.name, reason: reasonOf(error) });
      }
    }
    throw new Error('no node is at the tip to make a block');
  }

  /** Those that could lead: first those whose blocks every other can make too, of them the present leader. */
  #candidates(): Feeder[] {
    const able = this.#feeders.filter((feeder) => feeder.canLead);
    const rank = (feeder: Feeder): number => 2 * Number(feeder.knowsHashes) + Number(feeder === this.#leader);
    return able.sort((a, b) => rank(b) - rank(a));
  }

  #leads(feeder: Feeder): void {
    if (this.#leader !== null && this.#leader !== feeder) {
      this.#options.report('info', 'another node makes the blocks now', { node: feeder.node.name, before: this.#leader.node.name });
    }
    this.#leader = feeder;
    if (this.#stalled) this.#options.report('info', 'blocks are made again', { block: this.tip });
    this.#stalled = false;
  }

  #stall(error: unknown): void {
    if (this.#stalled || this.#closed) return;
    this.#stalled = true;
    this.#options.report('error', 'no blocks are made', { block: this.tip, reason: reasonOf(error) });
  }

  #wakeAll(): void {
    for (const feeder of this.#feeders) feeder.wake();
  }

  /**
   * Node `name` cannot make block `number` even from genesis. If only the node that made it has it, that one had been
   * tampered with: the block and all after it are void. If others have it too, `name` is at fault.
   */
  #irreproducible(name: string, number: number): void {
    if (number > this.tip) return;
    const { builder } = this.#log.read(number);
    const other = this.#feeders.find((feeder) => feeder.node.name !== name && feeder.node.name !== builder && feeder.height >= number);
    if (other !== undefined) {
      this.#feeders.find((feeder) => feeder.node.name === name)?.fail();
      return;
    }
    this.#options.report('error', 'a block that only its maker can make is void, with all after it', { block: number, builder });
    for (let voided = number; voided <= this.tip; voided++) this.#ledger.pool.restore(this.#log.read(voided).transactions);
    this.#log.cut(number);
    for (const feeder of this.#feeders) {
      feeder.forget();
      if (feeder.node.name === builder && builder !== name) void feeder.exclusive(() => feeder.reset()).catch(() => undefined);
    }
  }
}
