import { checkAccountProof } from './account.ts';
import { type Keccak, notProvable, ProofFault, unsupported, wrong } from './fault.ts';
import { type Captured, checkHeader } from './header.ts';
import { dataBytes, quantityBytes, sameBytes } from './hex.ts';
import { objectsIn } from './member.ts';
import type { ProvenLog } from './receipts.ts';

/** Contracts that queue withdrawal and consolidation requests (EIP-7002, EIP-7251), in lower case. */
export const REQUEST_CONTRACTS = ['0x00000961ef480eb55e80d19ad83579a64c007002', '0x0000bbddc7ce488642fb579f8b00f3a590007251'] as const;

const slot = (number: number): string => `0x${number.toString(16).padStart(64, '0')}`;

/** Slots of both with the head and the tail of the queue. */
export const QUEUE_SLOTS: readonly string[] = [slot(2), slot(3)];

/** keccak of `DepositEvent(bytes,bytes,bytes,bytes,bytes)`: what a deposit request is read from (EIP-6110). */
const DEPOSIT_TOPIC = '0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5';

/** requestsHash of no requests: SHA-256 of nothing. */
const NO_REQUESTS = '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** State before a block that shows whether requests were queued then. */
export interface RequestSources {
  /** Header of the parent. */
  readonly parent: Captured;
  /** `eth_getProof` of each of REQUEST_CONTRACTS with QUEUE_SLOTS at the parent. */
  readonly proofs: readonly Captured[];
}

const checkQueue = (keccak: Keccak, stateRoot: Uint8Array, proof: Captured | undefined, address: string): void => {
  const at = `requestSources ${address}`;
  if (typeof proof !== 'object' || proof === null || String(proof['address']).toLowerCase() !== address) throw wrong(at, 'is not proven');
  if (!checkAccountProof(keccak, stateRoot, proof).isPresent) return;
  const slots = objectsIn(proof['storageProof'] ?? [], at);
  const [head, tail] = QUEUE_SLOTS.map((position, i) => {
    const entry = slots[i];
    if (entry === undefined || !sameBytes(quantityBytes(entry['key'], at), quantityBytes(position, at))) throw wrong(at, `has no proof of slot ${i + 2}`);
    return quantityBytes(entry['value'], at);
  });
  if (head === undefined || tail === undefined || !sameBytes(head, tail)) throw notProvable('requestsHash', 'requests were queued before the block, and the list of those it took was not captured');
};

/** That nothing was queued at the end of the parent. */
const checkQueues = (keccak: Keccak, block: Captured, sources: RequestSources): void => {
  const { parent, proofs } = (sources ?? {}) as Partial<RequestSources>;
  if (typeof parent !== 'object' || parent === null || proofs === undefined || !Array.isArray(proofs)) throw wrong('requestSources', 'has no parent or no proofs');
  if (checkHeader(keccak, parent).hash !== String(block['parentHash']).toLowerCase()) throw wrong('requestSources', 'is not of the parent');
  const stateRoot = dataBytes(parent['stateRoot'], 'stateRoot', 32);
  for (const [i, address] of REQUEST_CONTRACTS.entries()) checkQueue(keccak, stateRoot, proofs[i], address);
};

/**
 * Shows that a block can have no requests: none were queued before it, and its logs tell of none made in it.
 * @param logs of the block, proven by its receipts
 * @throws ProofFault: `notProvable` when there may be some, or when the sources do not hold: they are no part of the block
 */
export function checkNoRequests(keccak: Keccak, block: Captured, logs: readonly ProvenLog[], sources: RequestSources): void {
  try {
    checkQueues(keccak, block, sources);
  } catch (error) {
    if (error instanceof ProofFault) throw notProvable('requestsHash', `${error.field}: ${error.message}`);
    throw error;
  }
  const contracts: readonly string[] = REQUEST_CONTRACTS;
  const made = logs.some(({ address, topics }) => contracts.includes(address) || topics[0] === DEPOSIT_TOPIC);
  if (made) throw notProvable('requestsHash', 'the block made requests, and their list was not captured');
  if (String(block['requestsHash']).toLowerCase() !== NO_REQUESTS) throw unsupported('requestsHash', 'there are requests of a kind that is not known');
}
