/** An account to sample, and slots of its storage. */
export interface Sample {
  readonly address: string;
  readonly slots: readonly string[];
}

type Item = Readonly<Record<string, unknown>>;

const ADDRESS = /^0x[0-9a-f]{40}$/i;
/** Slots that contracts use first, beside those that access lists name. */
const FIRST_SLOTS = 4;
const MAX_SLOTS = 64;

const slotOf = (number: number): string => `0x${number.toString(16).padStart(64, '0')}`;
const items = (value: unknown): readonly Item[] => (Array.isArray(value) ? (value as Item[]) : []);

/** Accounts that a block touched, contracts known by their logs first. */
function* touchedBy({ block, receipts }: Item): Generator<readonly [unknown, readonly string[]]> {
  for (const receipt of items(receipts)) {
    for (const log of items(receipt['logs'])) yield [log['address'], []];
    yield [receipt['contractAddress'], []];
  }
  const { transactions, withdrawals, miner } = block as Item;
  for (const transaction of items(transactions)) {
    for (const entry of items(transaction['accessList'])) yield [entry['address'], items(entry['storageKeys']).map(String)];
    yield [transaction['to'], []];
    yield [transaction['from'], []];
  }
  for (const withdrawal of items(withdrawals)) yield [withdrawal['address'], []];
  yield [miner, []];
}

/** Chooses what to sample: what is watched, then what the newest blocks touched. */
export function samplesOf(blocks: readonly Item[], watch: readonly string[], most: number): Sample[] {
  const slots = new Map<string, Set<string>>();
  const add = (address: unknown, keys: readonly string[]): void => {
    if (typeof address !== 'string' || !ADDRESS.test(address)) return;
    const name = address.toLowerCase();
    const known = slots.get(name);
    if (known === undefined && slots.size >= most) return;
    const set = known ?? new Set(Array.from({ length: FIRST_SLOTS }, (_, i) => slotOf(i)));
    for (const key of keys) if (set.size < MAX_SLOTS) set.add(key.toLowerCase());
    slots.set(name, set);
  };
  for (const address of watch) add(address, []);
  for (const block of blocks.toReversed()) for (const [address, keys] of touchedBy(block)) add(address, keys);
  return [...slots].map(([address, set]) => ({ address, slots: [...set] }));
}
