import { checkAccountProof } from './account.ts';
import { type Keccak, ProofFault, wrong } from './fault.ts';
import type { Captured } from './header.ts';
import { dataBytes, quantityBytes, sameBytes, toHex } from './hex.ts';
import { objectsIn } from './member.ts';

/** A sample of the state: the proof, and what the node says without one. */
export interface StateLine {
  /** Answer of `eth_getProof`. */
  readonly proof: Captured;
  /** Answers of `eth_getBalance`, `eth_getTransactionCount`, `eth_getCode` and `eth_getStorageAt`, where they were asked. */
  readonly flat?: {
    readonly balance?: unknown;
    readonly nonce?: unknown;
    readonly code?: unknown;
    /** One for each slot of the proof. */
    readonly storage?: unknown;
  };
}

/** How much of the state was seen to be right. */
export interface SampleCounts {
  accounts: number;
  absent: number;
  slots: number;
  /** Answers without a proof that agreed with one. */
  flat: number;
}

const sameQuantity = (flat: unknown, proven: unknown, field: string): void => {
  if (!sameBytes(quantityBytes(flat, field), quantityBytes(proven, field))) throw wrong(field, `the node answers ${String(flat)}, but ${String(proven)} is proven`);
};

const NO_CODE = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470';

/** @returns how many flat answers agreed */
const checkFlat = (keccak: Keccak, { proof, flat: answered }: StateLine, isPresent: boolean): number => {
  const flat = answered ?? {};
  let agreed = 0;
  for (const name of ['balance', 'nonce'] as const) {
    if (flat[name] === undefined) continue;
    sameQuantity(flat[name], proof[name], `flat.${name}`);
    agreed++;
  }
  if (flat.code !== undefined) {
    const hash = toHex(keccak(dataBytes(flat.code, 'flat.code')));
    const proven = isPresent ? String(proof['codeHash']).toLowerCase() : NO_CODE;
    if (hash !== proven) throw wrong('flat.code', `hashes to ${hash}, but ${proven} is proven`);
    agreed++;
  }
  if (flat.storage === undefined) return agreed;
  const slots = objectsIn(proof['storageProof'] ?? [], 'storageProof');
  if (!Array.isArray(flat.storage) || flat.storage.length !== slots.length) throw wrong('flat.storage', 'is not one answer for each slot');
  for (const [i, value] of (flat.storage as unknown[]).entries()) {
    sameQuantity(value, slots[i]?.['value'], `flat.storage[${i}]`);
    agreed++;
  }
  return agreed;
};

/** Checks one sample and counts it. @throws ProofFault naming the field that does not fit */
export function checkSample(keccak: Keccak, stateRoot: Uint8Array, line: StateLine, counts: SampleCounts): void {
  if (typeof line.proof !== 'object' || line.proof === null) throw new ProofFault('failed', 'proof', 'is not an object');
  const { isPresent, slots } = checkAccountProof(keccak, stateRoot, line.proof);
  counts.flat += checkFlat(keccak, line, isPresent);
  if (isPresent) counts.accounts++;
  else counts.absent++;
  counts.slots += slots;
}

const CONFIDENCE = 0.95;

/**
 * Share of damaged entries that so many random samples would have shown with 95 % confidence, in parts per million:
 * n samples miss a share f with probability (1-f)^n.
 */
export function damageSharePpm(samples: number): number {
  if (samples === 0) return 1_000_000;
  return Math.ceil((1 - (1 - CONFIDENCE) ** (1 / samples)) * 1_000_000);
}
