import type { BloomMaker } from '../chain/evm/bloom.ts';
import { isRecord, readHash, readQuantity } from '../chain/evm/fields.ts';
import type { BlockHeader } from './header.ts';

/** One log of a block. */
export interface BlockLog {
  /** Place within the block. */
  readonly index: number;
  /** Lower case, like the topics. */
  readonly address: string;
  readonly topics: readonly string[];
  /** JSON as clients are told it, `removed` false. */
  readonly raw: string;
}

/** What a node says the logs of a block are. */
export interface LogsAnswer {
  readonly logs: readonly BlockLog[];
  /**
   * `exact`: they make the block's very bloom and are numbered from 0 without a gap; none is missing, as far as a bloom can
   * tell. `over`: nothing of the bloom is missing, or the block has none. `under`: logs are missing.
   */
  readonly fit: 'exact' | 'over' | 'under';
  /** Equal for answers that hold the same logs. */
  readonly signature: string;
}

/**
 * Reads the whole list of a block's logs and weighs it against the block.
 * @returns null when a log is malformed or of another block
 */
export function readLogs(header: BlockHeader, value: unknown, blooms: BloomMaker): LogsAnswer | null {
  if (!Array.isArray(value)) return null;
  const logs: BlockLog[] = [];
  for (const item of value) {
    const log = readLog(header, item);
    if (log === null) return null;
    logs.push(log);
  }
  logs.sort((a, b) => a.index - b.index);
  const dense = logs.every((log, place) => log.index === place);
  const made = header.bloom === null ? 'over' : blooms.compare(header.bloom, itemsOf(logs));
  const fit = made === 'equal' ? (dense ? 'exact' : 'over') : made;
  return { logs, fit, signature: JSON.stringify(logs.map(({ index, address, topics }) => [index, address, topics])) };
}

/** The logs that a block's receipts hold, in the same form as `eth_getLogs` gives them; null for what are no receipts of it. */
export function logsOfReceipts(header: BlockHeader, value: unknown): readonly unknown[] | null {
  if (!Array.isArray(value)) return null;
  const all: unknown[] = [];
  for (const receipt of value) {
    if (!isRecord(receipt) || readHash(receipt['blockHash']) !== header.hash || !Array.isArray(receipt['logs'])) return null;
    all.push(...(receipt['logs'] as unknown[]));
  }
  return all;
}

/** JSON of a log whose block left the chain. */
export function removedRaw(log: BlockLog): string {
  return JSON.stringify({ ...(JSON.parse(log.raw) as object), removed: true });
}

function readLog(header: BlockHeader, item: unknown): BlockLog | null {
  if (!isRecord(item) || readHash(item['blockHash']) !== header.hash) return null;
  if (readQuantity(item['blockNumber']) !== header.number) return null;
  const { address, topics } = item;
  const index = readQuantity(item['logIndex']);
  if (index < 0 || typeof address !== 'string' || !Array.isArray(topics)) return null;
  if (!topics.every((topic) => typeof topic === 'string')) return null;
  const raw = JSON.stringify({ ...item, removed: false });
  return { index, address: address.toLowerCase(), topics: topics.map((topic) => topic.toLowerCase()), raw };
}

function* itemsOf(logs: readonly BlockLog[]): Iterable<string> {
  for (const log of logs) {
    yield log.address;
    yield* log.topics;
  }
}
