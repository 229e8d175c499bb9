import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { keccak_256 } from '@noble/hashes/sha3';
import type { Captured } from '../../src/proof/header.ts';

const lines = <T>(name: string): T[] =>
  gunzipSync(readFileSync(new URL(`../fixtures/mainnet/${name}`, import.meta.url))).toString().trimEnd().split('\n').map((line) => JSON.parse(line) as T);

/** A real block; receipts and uncles where they were captured. */
export interface RealBlock {
  readonly block: Captured & { readonly number: string; readonly hash: string };
  readonly receipts?: readonly Captured[];
  readonly uncles?: readonly string[];
}

export const realBlocks = (): RealBlock[] => lines('blocks.ndjson.gz');
export const realProofs = (): { readonly stateRoot: string; readonly kind: string; readonly proof: Captured }[] => lines('proofs.ndjson.gz');

export const keccak = (bytes: Uint8Array): Uint8Array => keccak_256(bytes);
export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
