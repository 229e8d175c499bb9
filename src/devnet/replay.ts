import { nextBaseFee } from './fee.ts';
import type { BlockLog } from './log.ts';
import type { PendingPool } from './pool.ts';
import type { BlockRecord, RawTransaction } from './record.ts';
import { type Call, type NodeBlock, NodeError, type NodeRpc } from './rpc.ts';

const MAX_ROLLBACK_BLOCKS = 256;

/** Fetches from a node the raw bytes of transactions it has; those it lacks are left out. */
export async function fetchRaws(rpc: NodeRpc, hashes: readonly string[]): Promise<RawTransaction[]> {
  const answers = await rpc.batch(hashes.map((hash): Call => ['eth_getRawTransactionByHash', hash]));
  return hashes.flatMap((hash, index) => {
    const raw = answers[index];
    return typeof raw === 'string' ? [{ hash, raw }] : [];
  });
}

/** Takes over into `pool` those transactions of a node that it does not know; true when there were any. */
export async function pickUp(rpc: NodeRpc, hashes: readonly string[], pool: PendingPool): Promise<boolean> {
  const unknown = [...new Set(hashes)].filter((hash) => !pool.knows(hash));
  const found = unknown.length === 0 ? [] : await fetchRaws(rpc, unknown);
  let any = false;
  for (const { hash, raw } of found) any = pool.add(hash, raw) || any;
  return any;
}

type PoolPart = Readonly<Record<string, Readonly<Record<string, { hash: string }>>>>;

/** Takes over into `pool` all that a node's pool holds, ready or not; true when any was new. */
export async function pickUpAll(rpc: NodeRpc, pool: PendingPool): Promise<boolean> {
  const { pending, queued } = (await rpc.call('txpool_content')) as { pending: PoolPart; queued: PoolPart };
  const senders = [...Object.values(pending), ...Object.values(queued)];
  return pickUp(rpc, senders.flatMap((byNonce) => Object.values(byNonce).map(({ hash }) => hash)), pool);
}

/** The same where something waits for an earlier nonce: a node gives no notice of that. */
export async function pickUpQueued(rpc: NodeRpc, pool: PendingPool): Promise<boolean> {
  const status = (await rpc.call('txpool_status')) as { queued: string };
  return Number(status.queued) > 0 && (await pickUpAll(rpc, pool));
}

/**
 * Takes out of a node's pool what a record has not, and would get into the block that the node makes of it; it is taken over
 * into `pool`, to be given back afterwards. True when there was any.
 */
export async function clearForeign(rpc: NodeRpc, record: BlockRecord, pool: PendingPool): Promise<boolean> {
  const status = (await rpc.call('txpool_status')) as { pending: string };
  if (Number(status.pending) === 0) return false;
  const { pending } = (await rpc.call('txpool_content')) as { pending: PoolPart };
  const own = new Set(record.transactions.map(({ hash }) => hash));
  const foreign = Object.values(pending).flatMap((byNonce) => Object.values(byNonce).map(({ hash }) => hash)).filter((hash) => !own.has(hash));
  if (foreign.length === 0) return false;
  await pickUp(rpc, foreign, pool);
  await rpc.batch(foreign.map((hash): Call => ['anvil_dropTransaction', hash]));
  return true;
}

/** True when a node's block has the record's transactions, in their order. */
export function sameTransactions(made: NodeBlock, record: BlockRecord): boolean {
  return made.transactions.length === record.transactions.length && made.transactions.every((hash, index) => hash === record.transactions[index]?.hash);
}

/**
 * Makes the block of a record on a node and gives the node's newest block after it; the caller compares.
 * @param careful one transaction per request: slow, but their order cannot change
 */
export async function makeBlock(rpc: NodeRpc, record: BlockRecord, careful: boolean): Promise<NodeBlock> {
  const sends = record.transactions.map(({ raw }): Call => ['eth_sendRawTransaction', raw]);
  await rpc.batch(sends, careful ? 1 : undefined);
  await rpc.call('evm_mine', { timestamp: record.timestamp });
  return rpc.head();
}

/** Number of the newest block at or below `from` that a node and the log share; -1 when none within the bound. */
async function commonAncestor(rpc: NodeRpc, log: BlockLog, from: number): Promise<number> {
  const lowest = Math.max(0, from - MAX_ROLLBACK_BLOCKS);
  for (let number = from; number >= lowest; number--) {
    if ((await rpc.block(number)).hash === log.hashOf(number)) return number;
  }
  return -1;
}

/**
 * Rolls a node back to the newest block that the log has too. Transactions of the removed blocks go to `pool`, so that they
 * reach a later block. Gives the number rolled back to, or -1 when the node has to start anew.
 */
export async function rollBack(rpc: NodeRpc, head: NodeBlock, log: BlockLog, pool: PendingPool): Promise<number> {
  const number = await commonAncestor(rpc, log, Math.min(head.number, log.tip));
  if (number < 0 || head.number - number > MAX_ROLLBACK_BLOCKS) return -1;
  for (let removed = number + 1; removed <= head.number; removed++) {
    await pickUp(rpc, (await rpc.block(removed)).transactions, pool);
  }
  try {
    await rpc.call('anvil_rollback', head.number - number);
    // The node keeps the fee that should have followed the removed block. anvil gives block 1 the fee of block 0.
    const parent = await rpc.block(number);
    const fee = number === 0 ? parent.baseFeePerGas : nextBaseFee(parent);
    await rpc.call('anvil_setNextBlockBaseFeePerGas', `0x${fee.toString(16)}`);
    // What followed on the removed blocks is not valid any more: the next block made would throw it out.
    await pickUpAll(rpc, pool);
  } catch (error) {
    if (error instanceof NodeError) return -1;
    throw error;
  }
  return number;
}
