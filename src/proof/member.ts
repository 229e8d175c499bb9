import { wrong } from './fault.ts';
import type { Captured } from './header.ts';
import { quantityNumber } from './hex.ts';

/** A list. @throws ProofFault when it is none */
export function listIn(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(field, 'is not a list');
  return value;
}

/** A list of objects. @throws ProofFault naming the member that is none */
export function objectsIn(value: unknown, field: string): readonly Captured[] {
  const items = listIn(value, field);
  const odd = items.findIndex((item) => typeof item !== 'object' || item === null);
  if (odd >= 0) throw wrong(`${field}[${odd}]`, 'is not an object');
  return items as readonly Captured[];
}

/** A text in lower case, to compare hex by. */
export const lower = (value: unknown): string => String(value).toLowerCase();

/** Whether a member is left out, or the same hex. */
export const isSameHex = (value: unknown, expected: unknown): boolean => value == null || value === expected || lower(value) === lower(expected);

/** Whether a member is left out, or the same quantity: as a rule they are the same text. */
const isNumber = (value: unknown, field: string, expected: unknown): boolean =>
  value == null || value === expected || quantityNumber(value, field) === quantityNumber(expected, field);

/** Where something stands in the chain. */
export interface Standing {
  readonly block: Captured;
  /** Place of its transaction in the block. */
  readonly index: number;
}

/**
 * Compares what a transaction, receipt or log says of its place with the place it was found at. No hash commits to these members,
 * and a node may leave them out. @throws ProofFault naming the member that differs
 */
export function checkStanding(item: Captured, at: string, { block, index }: Standing): void {
  const { blockHash, blockNumber, transactionIndex } = item;
  if (!isSameHex(blockHash, block['hash'])) throw wrong(`${at}.blockHash`, `is not ${lower(block['hash'])}`);
  if (!isNumber(blockNumber, `${at}.blockNumber`, block['number'])) throw wrong(`${at}.blockNumber`, `is not ${quantityNumber(block['number'], 'number')}`);
  if (!isNumber(transactionIndex, `${at}.transactionIndex`, `0x${index.toString(16)}`)) throw wrong(`${at}.transactionIndex`, `is not ${index}`);
}
