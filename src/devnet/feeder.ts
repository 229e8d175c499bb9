import type { FedNode, Ledger } from './ledger.ts';
import { PoolLink } from './link.ts';
import { Patience, type Verdict } from './patience.ts';
import { clearForeign, makeBlock, pickUpAll, pickUpQueued, rollBack, sameTransactions } from './replay.ts';
import { reasonOf } from './report.ts';
import { type Call, type NodeBlock, NodeRpc } from './rpc.ts';
import { Mutex, Signal } from './signal.ts';

/** Blocks whose hashes contracts can ask for; source: the yellow paper, BLOCKHASH. */
const BLOCKHASH_REACH = 256;

/** How a node stands to the log. */
export type FeedState = 'starting' | 'following' | 'behind' | 'held' | 'unreachable' | 'failed';

/** Bounds of one feeder. */
export interface FeederLimits {
  /** On every exchange with the node. */
  readonly rpcTimeoutMs: number;
  /** Between two looks at a node that has nothing to do. */
  readonly idleMs: number;
  /** Between two tries at a node that does not answer. */
  readonly retryMs: number;
}

interface Waiter {
  readonly number: number;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Keeps one node at the log's blocks. Level, not edge: every step looks at the node's height and hash and does the one next
 * thing, so a node that died, hung, was restarted or made blocks of its own is brought back by the same loop.
 */
export class Feeder {
  readonly node: FedNode;
  readonly rpc: NodeRpc;
  readonly #ledger: Ledger;
  readonly #limits: FeederLimits;
  readonly #link: PoolLink;
  readonly #mutex = new Mutex();
  readonly #signal = new Signal();
  readonly #patience = new Patience();
  #waiters: Waiter[] = [];
  #state: FeedState = 'starting';
  #height = 0;
  #hold = 0;
  #offered = 0;
  /** Where its process began: of older blocks it may not know the hashes that contracts ask for. */
  #began = 0;
  #careful = false;
  #closed = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(node: FedNode, ledger: Ledger, limits: FeederLimits) {
    this.node = node;
    this.rpc = new NodeRpc(node.httpUrl, limits.rpcTimeoutMs);
    this.#ledger = ledger;
    this.#limits = limits;
    this.#link = new PoolLink(node.wsUrl, ledger.pool, () => ledger.onPickedUp());
  }

  get state(): FeedState {
    return this.#state;
  }

  /** Newest block of the log that the node was seen to have. */
  get height(): number {
    return this.#height;
  }

  /** Block that the node should be at. */
  get target(): number {
    return Math.max(0, this.#ledger.log.tip - this.#hold);
  }

  /** Sequence of the newest pending transaction that the node was given. */
  get offered(): number {
    return this.#offered;
  }

  /** True while the node is at the log's tip, answers, and is not held back. */
  get canLead(): boolean {
    return this.#state === 'following' && this.#height === this.#ledger.log.tip;
  }

  /** Whether contracts find the hashes of older blocks on it: an anvil that was started on a state has them only of blocks made since. */
  get knowsHashes(): boolean {
    return this.#began === 0 || this.#height - this.#began >= BLOCKHASH_REACH;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Ends the loop and its connections; everybody who waits is told. */
  async close(): Promise<void> {
    this.#closed = true;
    this.wake();
    this.#link.close();
    await this.rpc.close();
    await this.#loop;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new Error('the devnet was closed'));
  }

  /** There is something new. */
  wake(): void {
    this.#signal.wake();
  }

  /** Keeps the node `blocks` behind the log's tip; 0 lets it catch up. A block that it has is not taken away. */
  hold(blocks: number): void {
    this.#hold = blocks;
    if (this.#state === 'following' && blocks > 0) this.#state = 'held';
    this.wake();
  }

  /** Resolves when the node has block `number` of the log, and all before it. */
  reached(number: number): Promise<void> {
    if (this.#height >= number && this.#state !== 'starting' && this.#state !== 'unreachable') return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ number, resolve, reject }));
  }

  /** Runs `work` while the loop stands still. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return this.#mutex.run(work);
  }

  /** The node did not do what it should: not a leader until the loop has looked at it. */
  distrust(): void {
    if (this.#state === 'following') this.#state = 'behind';
    this.wake();
  }

  /** The node has block `number`, made by itself as leader. */
  made(number: number): void {
    this.#rose(number);
  }

  /** The log was cut: what the node seemed to have may be void. */
  forget(): void {
    this.#height = Math.min(this.#height, this.#ledger.log.tip);
    this.distrust();
  }

  /** Gives the node the pending transactions that it was not given yet. */
  async offer(): Promise<void> {
    const fresh = this.#ledger.pool.after(this.#offered);
    const last = this.#ledger.pool.lastSequence;
    // Those that came from this node, or that it refuses, answer with an error that changes nothing.
    await this.rpc.batch(fresh.map(({ raw }): Call => ['eth_sendRawTransaction', raw]));
    this.#offered = last;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      let waitMs = this.#limits.idleMs;
      try {
        if (await this.#mutex.run(() => this.#step())) waitMs = 0;
      } catch (error) {
        waitMs = this.#limits.retryMs;
        this.#lost(error);
      }
      if (waitMs > 0 && !this.#closed) await this.#signal.sleep(waitMs);
    }
  }

  /** One look and the one next thing; true when there may be more to do at once. */
  async #step(): Promise<boolean> {
    if (this.#closed || this.#state === 'failed') return false;
    if (await this.#link.ensure()) await this.#collect();
    const { log } = this.#ledger;
    const head = await this.rpc.head();
    if (head.number > log.tip || head.hash !== log.hashOf(head.number)) return this.#repair(head);
    if (head.number < this.#height || this.#state === 'starting' || this.#state === 'unreachable') this.#began = head.number;
    if (head.number < this.#height) this.#restarted();
    if (this.#state === 'starting' || this.#state === 'unreachable') this.#turn('behind');
    this.#height = head.number;
    if (head.number < this.target) return this.#feed(head.number + 1);
    if (head.number < log.tip) {
      this.#turn('held');
      this.#rose(head.number);
      return false;
    }
    if (await pickUpQueued(this.rpc, this.#ledger.pool)) this.#ledger.onPickedUp();
    await this.offer();
    this.#turn(this.#hold > 0 ? 'held' : 'following');
    this.#rose(head.number);
    return false;
  }

  async #feed(number: number): Promise<boolean> {
    const { log, pool } = this.#ledger;
    const record = log.read(number);
    pool.include(record.transactions.map(({ hash }) => hash));
    if (number < this.target) this.#turn('behind');
    if (await clearForeign(this.rpc, record, pool)) {
      this.#offered = 0;
      this.#ledger.onPickedUp();
    }
    const made = await makeBlock(this.rpc, record, this.#careful);
    // A cut may have come meanwhile: the next look decides.
    if (number > log.tip) return true;
    if (made.number === number && made.hash === log.hashOf(number)) {
      this.#patience.matched(number);
      this.#careful = false;
      this.#height = number;
      // At the target the next look settles the rest first.
      if (number < this.target) this.#rose(number);
      return true;
    }
    const same = sameTransactions(made, record);
    // As many, but others or in another order: sent in one body, they may have overtaken each other.
    this.#careful = !same && made.transactions.length === record.transactions.length;
    return this.#obey(this.#patience.differed(number, same ? 'state' : 'transactions'), number);
  }

  /** Takes over what the node's pool holds; the link tells only of what comes later. */
  async #collect(): Promise<void> {
    if (await pickUpAll(this.rpc, this.#ledger.pool)) this.#ledger.onPickedUp();
  }

  async #repair(head: NodeBlock): Promise<boolean> {
    const { log, pool, report } = this.#ledger;
    this.#turn('behind');
    const number = await rollBack(this.rpc, head, log, pool);
    this.#offered = 0;
    this.#height = Math.min(this.#height, Math.max(0, number));
    if (number < 0) return this.#obey('reset', head.number);
    report('info', 'a node had blocks that the chain has not; it was rolled back', { node: this.node.name, from: head.number, to: number });
    return this.#obey(this.#patience.repaired(), number);
  }

  async #obey(verdict: Verdict, number: number): Promise<boolean> {
    const { report } = this.#ledger;
    const node = this.node.name;
    if (verdict === 'giveUp') {
      report('error', 'a node cannot make a block as the chain has it', { node, block: number });
      this.#ledger.onIrreproducible(node, number);
    } else if (verdict === 'reset') {
      report('warn', 'a node diverges from the chain; it starts anew from genesis', { node, block: number });
      await this.#collect();
      await this.reset();
    }
    return true;
  }

  /** Starts the node anew; the loop then replays the log on it. */
  async reset(): Promise<void> {
    this.#restarted();
    this.#link.close();
    await this.node.reset();
  }

  /** The node cannot follow the chain: it is left alone until its process starts anew. */
  fail(): void {
    this.#state = 'failed';
  }

  /** The node's process is gone. */
  down(): void {
    this.#state = 'unreachable';
    this.#height = 0;
    this.#offered = 0;
    this.wake();
  }

  #restarted(): void {
    this.#height = 0;
    this.#offered = 0;
    this.#turn('behind');
  }

  #lost(error: unknown): void {
    if (this.#closed || this.#state === 'failed') return;
    this.#link.close();
    if (this.#state !== 'unreachable' && this.#state !== 'starting') {
      this.#ledger.report('warn', 'a node does not answer', { node: this.node.name, reason: reasonOf(error) });
    }
    this.#state = 'unreachable';
  }

  #turn(state: FeedState): void {
    if (this.#state === 'failed') return;
    if (this.#state === 'unreachable') this.#ledger.report('info', 'a node answers', { node: this.node.name });
    this.#state = state;
  }

  #rose(number: number): void {
    this.#height = number;
    if (this.#waiters.length === 0) return;
    const due = this.#waiters.filter((waiter) => waiter.number <= number);
    this.#waiters = this.#waiters.filter((waiter) => waiter.number > number);
    for (const waiter of due) waiter.resolve();
  }
}
