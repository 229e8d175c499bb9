import type { Feeder } from './feeder.ts';
import type { Ledger } from './ledger.ts';
import { fetchRaws } from './replay.ts';
import type { BlockRecord, RawTransaction } from './record.ts';
import type { Call } from './rpc.ts';

const MAX_STALE_CHECKED = 200;

/** The raw transactions of a new block, from the pool or else from the node that made it. */
async function rawsOf(feeder: Feeder, ledger: Ledger, hashes: readonly string[]): Promise<RawTransaction[]> {
  const unknown = hashes.filter((hash) => ledger.pool.rawOf(hash) === null);
  const fetched = new Map((await fetchRaws(feeder.rpc, unknown)).map(({ hash, raw }) => [hash, raw]));
  return hashes.map((hash) => {
    const raw = ledger.pool.rawOf(hash) ?? fetched.get(hash);
    if (raw === undefined) throw new Error(`the node does not give transaction ${hash} of its own block`);
    return { hash, raw };
  });
}

/** Forgets pending transactions that the leader was given and no longer has: replaced, or no longer valid. */
async function dropStale(feeder: Feeder, ledger: Ledger): Promise<void> {
  const given = ledger.pool.oldest(MAX_STALE_CHECKED).filter(({ sequence }) => sequence <= feeder.offered);
  const answers = await feeder.rpc.batch(given.map(({ hash }): Call => ['eth_getTransactionByHash', hash]));
  for (const [index, { hash }] of given.entries()) {
    const found = answers[index] as { blockNumber?: unknown } | null;
    if (found === null || typeof found.blockNumber === 'string') ledger.pool.drop(hash);
  }
}

/**
 * Lets a node make the next block of what its pool holds, and writes it to the log. The node decides what the block is; the
 * log makes it the chain's. Until the write the block does not count: if anything fails, the node is rolled back later.
 * @param timestamp Unix seconds
 * @throws Unreachable, NodeError, Error when the node is not at the tip or made something else
 */
export function buildBlock(feeder: Feeder, ledger: Ledger, timestamp: number): Promise<BlockRecord> {
  return feeder.exclusive(async () => {
    const { log, pool } = ledger;
    if (!feeder.canLead) throw new Error('the node is not at the tip');
    const number = log.tip + 1;
    const parentHash = log.hashOf(log.tip);
    await feeder.offer();
    await feeder.rpc.call('evm_mine', { timestamp });
    const made = await feeder.rpc.head();
    if (made.number !== number || made.parentHash !== parentHash || made.timestamp !== timestamp) {
      throw new Error(`the node made something else than block ${number}`);
    }
    const transactions = await rawsOf(feeder, ledger, made.transactions);
    const record: BlockRecord = { number, timestamp, hash: made.hash, builder: feeder.node.name, transactions };
    log.append(record);
    pool.include(made.transactions);
    feeder.made(number);
    await dropStale(feeder, ledger).catch(() => undefined);
    return record;
  });
}
