import type { Clock } from '../base/clock.ts';
import type { ChainView } from '../chain/view.ts';
import type { RouteTable } from '../health/table.ts';
import type { SideCalls, SideReply } from './sideCalls.ts';

/** How long a "no" holds: a node may be updated, or may have lacked the block just then. */
const NO_MS = 60_000;

type Known = { state: 'asking' } | { state: 'yes' } | { state: 'no'; atMs: number };

const ADDRESS = `0x${'0'.repeat(40)}`;
/** No block has it. */
const NOWHERE = `0x${'0'.repeat(63)}1`;
const read = (hash: string): readonly [string, string] => ['eth_getBalance', `["${ADDRESS}",{"blockHash":"${hash}"}]`];

/**
 * Which nodes take a block by its hash in a state read (EIP-1898). Learnt once per node, by two reads beside the traffic:
 * one of a block that it has, and one of a block that nobody has, which must fail, since some nodes pass over what they do
 * not know. Forgotten when the node goes down: it may come back as another.
 */
export class HashSupport {
  readonly #view: ChainView;
  readonly #calls: SideCalls;
  readonly #clock: Clock;
  readonly #known = new Map<number, Known>();

  constructor(view: ChainView, calls: SideCalls, clock: Clock) {
    this.#view = view;
    this.#calls = calls;
    this.#clock = clock;
  }

  /** Whether the node is known to; learns it for the next time where it is not known. */
  has(index: number, agreedNumber: number): boolean {
    const known = this.#known.get(index);
    if (known?.state === 'yes') return true;
    const { head } = this.#view;
    if (known?.state === 'asking' || head === null || agreedNumber < head.number) return false;
    if (known?.state === 'no' && this.#clock.nowMs() - known.atMs < NO_MS) return false;
    this.#learn(index, head.hash);
    return false;
  }

  onTable(table: RouteTable): void {
    for (const entry of table.entries) if (entry.state === 'down') this.#known.delete(entry.index);
  }

  #learn(index: number, hash: string): void {
    const mine: Known = { state: 'asking' };
    this.#known.set(index, mine);
    this.#calls.ask('hashSupport', index, read(hash), (real) => {
      this.#calls.ask('hashSupport', index, read(NOWHERE), (control) => {
        if (this.#known.get(index) === mine) this.#conclude(index, real, control);
      });
    });
  }

  #conclude(index: number, real: SideReply, control: SideReply): void {
    const isYes = real.kind === 'result' && real.body[real.start] === 0x22 && control.kind === 'error';
    this.#known.set(index, isYes ? { state: 'yes' } : { state: 'no', atMs: this.#clock.nowMs() });
  }
}
