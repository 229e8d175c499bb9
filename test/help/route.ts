import { hashString } from '../../src/base/hash.ts';
import type { MethodSpec } from '../../src/chain/method.ts';
import type { Outcome, OutcomeClass } from '../../src/chain/outcome.ts';
import type { UpstreamState } from '../../src/health/state.ts';
import { Attempt } from '../../src/route/attempt.ts';
import type {
  AttemptCall,
  AttemptOptions,
  AttemptPort,
  AttemptResult,
  CancelReason,
  NodeReply,
} from '../../src/route/attemptPort.ts';
import type { RankAsk } from '../../src/route/flaws.ts';
import { LoadBook } from '../../src/route/loadBook.ts';
import { RetryBudget } from '../../src/route/retryBudget.ts';
import type { RouteEntry, RouteTable } from '../../src/route/table.ts';

/** A serving upstream; its name is the letter of its index unless told otherwise. */
export function entryOf(index: number, change: Partial<RouteEntry> = {}): RouteEntry {
  const name = change.name ?? String.fromCharCode(97 + index);
  return {
    index,
    name,
    seed: hashString(name),
    state: 'serving',
    tier: 0,
    weight: 100,
    headNumber: 100,
    headHash: '0xaa',
    agreedNumber: -1,
    lacks: 0,
    lowestState: 0,
    denied: null,
    heldUntilMs: 0,
    maxInFlight: 256,
    attemptTimeoutMs: 500,
    hedgeDelayMs: 20,
    client: '',
    stateFloor: 0,
    ...change,
  };
}

/** A table of these entries; those with weight serve. */
export function tableOf(entries: readonly RouteEntry[]): RouteTable {
  const serving = entries.filter((entry) => entry.weight > 0).map((entry) => entry.index);
  return {
    version: 1,
    chain: 'test',
    trustedNumber: 100,
    trustedHash: '0xaa',
    finalizedNumber: 90,
    panic: false,
    entries,
    serving,
  };
}

/** A light, idempotent read. */
export function specOf(change: Partial<MethodSpec> = {}): MethodSpec {
  return {
    name: 'eth_call',
    index: 0,
    class: 'read',
    access: 'open',
    block: { kind: 'none' },
    finality: 'byBlock',
    idempotent: true,
    retryable: true,
    hedgeable: true,
    batchable: true,
    weight: 1,
    capability: null,
    readsState: false,
    nullMeansAbsent: false,
    addressIndex: -1,
    ...change,
  };
}

export const READ = specOf();
export const LOOK_UP = specOf({ name: 'eth_getTransactionReceipt', nullMeansAbsent: true });
export const RAW_TRANSACTION = specOf({
  name: 'eth_sendRawTransaction',
  class: 'write',
  idempotent: false,
  hedgeable: false,
});
export const ONCE = specOf({
  name: 'eth_sendTransaction',
  class: 'write',
  idempotent: false,
  retryable: false,
  hedgeable: false,
});

export const askOf = (change: Partial<RankAsk> = {}): RankAsk => ({
  keyHash: 1,
  affine: true,
  nowMs: 0,
  requiredBlock: -1,
  trustedBlock: -1, racedHash: '', stateBlock: -1,
  ...change,
});

const FINAL: ReadonlySet<OutcomeClass> = new Set(['result', 'chain', 'client', 'cancelled']);

export const outcomeOf = (name: OutcomeClass, change: Partial<Outcome> = {}): Outcome => ({
  class: name,
  retry: FINAL.has(name) ? 'final' : 'other',
  blame: false,
  unsent: false,
  holdMs: 0,
  ...change,
});

/** A node's answer in a test: text, and whether it is null. */
export interface TestReply extends NodeReply {
  readonly text: string;
}

export interface StageOptions {
  readonly method?: MethodSpec;
  readonly entries?: readonly RouteEntry[];
  readonly options?: Partial<AttemptOptions>;
  readonly budget?: RetryBudget;
  readonly book?: LoadBook;
  readonly call?: Partial<AttemptCall>;
}

/** Plays the shell of one attempt machine in virtual time and writes down what it does. */
export class Stage implements AttemptPort<TestReply> {
  nowMs = 0;
  /** Readable trace: `20 send 1 b 500`, `21 cancel 0 lost`, `21 reply b x`. */
  readonly lines: string[] = [];
  readonly results: AttemptResult<TestReply>[] = [];
  readonly sent: { readonly attempt: number; readonly upstreamIndex: number; open: boolean }[] = [];
  readonly table: RouteTable;
  readonly budget: RetryBudget;
  readonly book: LoadBook;
  readonly machine: Attempt<TestReply>;
  armedAtMs = Number.POSITIVE_INFINITY;
  private readonly method: MethodSpec;
  private readonly call: Partial<AttemptCall>;

  constructor({ method = READ, entries, options, budget, book, call = {} }: StageOptions = {}) {
    this.table = tableOf(entries ?? [entryOf(0), entryOf(1), entryOf(2)]);
    this.method = method;
    this.call = call;
    this.budget = budget ?? new RetryBudget({ percent: 20, reservePerS: 10 });
    this.book = book ?? new LoadBook(this.table.entries.length);
    const all = { maxAttempts: 4, maxHedges: 1, nullRetry: true, ...options };
    this.machine = new Attempt<TestReply>(this, { options: all, budget: this.budget, book: this.book });
  }

  /** Begins a call over all serving upstreams in index order. */
  start(): this {
    const candidates = Int32Array.from(this.table.serving);
    this.machine.start(
      {
        method: this.method,
        table: this.table,
        candidates,
        candidateCount: candidates.length,
        refusal: 'noUpstream',
        deadlineMs: this.nowMs + 5000,
        hashSeen: false,
        ...this.call,
      },
      this.nowMs,
    );
    return this;
  }

  /** Moves time on and fires the timer where it is due. */
  until(nowMs: number): this {
    while (this.armedAtMs <= nowMs) {
      this.nowMs = Math.max(this.nowMs, this.armedAtMs);
      this.armedAtMs = Number.POSITIVE_INFINITY;
      this.machine.onTimer(this.nowMs);
    }
    this.nowMs = nowMs;
    return this;
  }

  /** A whole answer to an attempt: a result, a null, or a node's error. */
  answer(attempt: number, what: OutcomeClass | 'null' | Outcome): this {
    const outcome = typeof what === 'object' ? what : outcomeOf(what === 'null' ? 'result' : what);
    const reply: TestReply = { text: what === 'null' ? 'null' : `${outcome.class}${attempt}`, isNull: what === 'null' };
    this.shut(attempt);
    this.machine.onAnswer(attempt, outcome, reply, this.nowMs);
    return this;
  }

  fail(attempt: number, what: OutcomeClass, change: Partial<Outcome> = {}): this {
    this.shut(attempt);
    this.machine.onFailure(attempt, outcomeOf(what, change), this.nowMs);
    return this;
  }

  eject(upstreamIndex: number, state: UpstreamState): this {
    this.machine.onEjected(upstreamIndex, state, this.nowMs);
    return this;
  }

  send(attempt: number, upstreamIndex: number, timeoutMs: number): void {
    this.sent.push({ attempt, upstreamIndex, open: true });
    this.lines.push(`${this.nowMs} send ${attempt} ${this.nameOf(upstreamIndex)} ${timeoutMs}`);
  }

  cancel(attempt: number, why: CancelReason): void {
    this.shut(attempt);
    this.lines.push(`${this.nowMs} cancel ${attempt} ${why}`);
  }

  arm(atMs: number): void {
    this.armedAtMs = Math.max(atMs, this.nowMs);
  }

  finish(result: AttemptResult<TestReply>): void {
    this.results.push(result);
    this.armedAtMs = Number.POSITIVE_INFINITY;
    if (result.kind === 'reply')
      this.lines.push(`${this.nowMs} reply ${this.nameOf(result.upstreamIndex)} ${result.reply.text}`);
    else this.lines.push(`${this.nowMs} ${result.kind === 'fault' ? `fault ${result.fault}` : 'gone'}`);
  }

  private shut(attempt: number): void {
    const sent = this.sent.find((one) => one.attempt === attempt);
    if (sent !== undefined) sent.open = false;
  }

  private nameOf(upstreamIndex: number): string {
    return this.table.entries[upstreamIndex]?.name ?? '?';
  }
}
