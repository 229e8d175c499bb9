import { elementAt, endOfValue, memberAt, skipSpace } from '../chain/jsonWalk.ts';
import { REF, type RefKind } from './ref.ts';
import type { CallAsk } from './rule.ts';

/** What EIP-1898 gives a block by hash to; nodes that know it know it for all of these. */
const BY_OBJECT: ReadonlySet<string> = new Set([
  'eth_getBalance', 'eth_getStorageAt', 'eth_getTransactionCount', 'eth_getCode', 'eth_call', 'eth_getProof',
]);

const isTag = (ref: RefKind): boolean => ref === REF.latest || ref === REF.finalized || ref === REF.absent;

/** Whether a call reads a state that could be asked for by the hash of its block, instead of a number or tag. */
export const mayAskByHash = (ask: CallAsk): boolean =>
  ask.hash !== '' && (isTag(ask.ref) || (ask.ref === REF.number && ask.class === 'unfinalized')) && BY_OBJECT.has(ask.plan.method);

/** Whether a call names its block by a tag, which each node takes for a block of its own, and its answer does not tell which. */
export const isVague = (ask: CallAsk): boolean =>
  isTag(ask.ref) && ask.number >= 0 && ask.plan.rule === 'byBlock' && ask.plan.shape !== 'block' && ask.plan.shape !== 'item';

/**
 * The params with the block named by its hash (EIP-1898), so that the answer is of that block whatever the node's head.
 * @param paramsRaw params of a call for which `mayAskByHash` holds
 */
export const paramsByHash = (ask: CallAsk, paramsRaw: string): string => withBlock(ask, paramsRaw, `{"blockHash":"${ask.hash}"}`);

/** The params with the block named by its number; of a range, both ends. For calls for which `isVague` holds. */
export function paramsByNumber(ask: CallAsk, paramsRaw: string): string {
  if (!ask.plan.isRange) return withBlock(ask, paramsRaw, quantity(ask.number));
  const top = withMember(ask, paramsRaw, 'toBlock', ask.number);
  return withMember(ask, top, 'fromBlock', ask.bottom);
}

const quantity = (number: number): string => `"0x${number.toString(16)}"`;

function withBlock(ask: CallAsk, paramsRaw: string, block: string): string {
  const start = skipSpace(paramsRaw, 0);
  const at = elementAt(paramsRaw, start, ask.plan.blockIndex);
  if (at >= 0) return paramsRaw.slice(0, at) + block + paramsRaw.slice(endOfValue(paramsRaw, at));
  return `${paramsRaw.slice(0, paramsRaw.lastIndexOf(']'))},${block}]`;
}

function withMember(ask: CallAsk, paramsRaw: string, name: string, number: number): string {
  const filter = elementAt(paramsRaw, skipSpace(paramsRaw, 0), ask.plan.blockIndex);
  const at = memberAt(paramsRaw, filter, name);
  if (at >= 0) return paramsRaw.slice(0, at) + quantity(number) + paramsRaw.slice(endOfValue(paramsRaw, at));
  return `${paramsRaw.slice(0, filter + 1)}"${name}":${quantity(number)},${paramsRaw.slice(filter + 1)}`;
}

/**
 * The params that ask for the very block that a stored answer is of; null where that cannot be said.
 * @param takesHash the node takes block hashes (EIP-1898)
 */
export function askAt(ask: CallAsk, block: { readonly number: number; readonly hash: string }, paramsRaw: string, takesHash: boolean): string | null {
  const named: CallAsk = { ...ask, number: block.number, hash: block.hash };
  if (ask.ref === REF.hash || ask.plan.rule === 'byAnswer') return paramsRaw;
  if (block.hash !== '' && BY_OBJECT.has(ask.plan.method)) return takesHash ? paramsByHash(named, paramsRaw) : null;
  return ask.number === block.number ? paramsByNumber(named, paramsRaw) : null;
}
