import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../observe/folder.ts';
import { QUEUE_SLOTS, REQUEST_CONTRACTS } from '../proof/requestSources.ts';
import type { SnapshotBody } from '../snapshot/manifest.ts';
import { ask, askAll, AskFault, type Asked, type Call } from './ask.ts';
import { samplesOf } from './addresses.ts';
import { PROOF_FILES } from './verify.ts';

/** What is captured of a node for the proof. */
export interface PackRequest {
  readonly node: Asked;
  readonly directory: string;
  /** Blocks back from the head, with bodies and receipts; those before it down to `fromBlock` as headers. */
  readonly blocks: number;
  /** Lowest block whose header is captured. */
  readonly fromBlock: number;
  /** Most accounts whose state is sampled. */
  readonly samples: number;
  /** Accounts that are always sampled. */
  readonly watch: readonly string[];
  readonly onProgress: (blocks: number) => void;
}

/** What the node is at. */
export interface NodeFacts {
  readonly chainId: number;
  readonly genesisHash: string;
  readonly clientVersion: string;
  readonly head: { readonly number: number; readonly hash: string; readonly stateRoot: string; readonly timestampS: number };
}

/** What a manifest says of a node that was at these facts. */
export function factsOf({ chainId, genesisHash, clientVersion, head }: NodeFacts, about: { readonly chain: string; readonly clientKind: string; readonly source: string }): Pick<SnapshotBody, 'chain' | 'client' | 'head' | 'source'> {
  const { number, hash, stateRoot, timestampS } = head;
  return { chain: { name: about.chain, family: 'evm', chainId, genesisHash }, client: { kind: about.clientKind, version: clientVersion }, head: { number, hash, stateRoot, timestampS }, source: about.source };
}

type Block = Readonly<Record<string, unknown>>;

const quantity = (value: number): string => `0x${value.toString(16)}`;
const textOf = (block: Block, field: string, node: Asked): string => {
  const value = block[field];
  if (typeof value !== 'string') throw new AskFault(`${node.name}: a block without ${field}`);
  return value.toLowerCase();
};

/** Asks a node what it is and where it stands. @throws AskFault */
export async function nodeFacts(node: Asked): Promise<NodeFacts> {
  const latest: Call = { method: 'eth_getBlockByNumber', params: ['latest', false] };
  const [chainId, version, genesis, head] = await askAll(node, [
    { method: 'eth_chainId', params: [] },
    { method: 'web3_clientVersion', params: [] },
    { method: 'eth_getBlockByNumber', params: ['0x0', false] },
    latest,
  ]);
  const [first, last] = [genesis as Block, head as Block];
  return {
    chainId: Number(chainId),
    genesisHash: textOf(first, 'hash', node),
    clientVersion: String(version).slice(0, 256),
    head: { number: Number(last['number']), hash: textOf(last, 'hash', node), stateRoot: textOf(last, 'stateRoot', node), timestampS: Number(last['timestamp']) },
  };
}

const uncleCalls = (block: Block): Call[] =>
  (Array.isArray(block['uncles']) ? block['uncles'] : []).map((_, i) => ({ method: 'eth_getUncleByBlockHashAndIndex', params: [block['hash'], quantity(i)] }));

/** What shows that a block has no requests; nothing where the node no longer has the state before it. */
const requestSources = async (node: Asked, block: Block): Promise<{ readonly requestSources?: unknown }> => {
  const number = Number(block['number']);
  if (block['requestsHash'] == null || number === 0) return {};
  const before = quantity(number - 1);
  try {
    const [parent, ...proofs] = await askAll(node, [
      { method: 'eth_getBlockByNumber', params: [before, false] },
      ...REQUEST_CONTRACTS.map((address): Call => ({ method: 'eth_getProof', params: [address, QUEUE_SLOTS, before] })),
    ]);
    const { transactions: _transactions, uncles: _uncles, withdrawals: _withdrawals, ...header } = parent as Block;
    return { requestSources: { parent: header, proofs } };
  } catch (error) {
    if (error instanceof AskFault) return {};
    throw error;
  }
};

/** A block with all that it takes to rebuild what its header commits to. */
const wholeBlock = async (node: Asked, number: number): Promise<Block> => {
  const at = quantity(number);
  const [block, receipts] = (await askAll(node, [{ method: 'eth_getBlockByNumber', params: [at, true] }, { method: 'eth_getBlockReceipts', params: [at] }])) as [Block, unknown];
  const [uncles, logs, sources] = await Promise.all([askAll(node, uncleCalls(block)), ask(node, 'eth_getLogs', [{ blockHash: block['hash'] }]), requestSources(node, block)]);
  return { block, receipts, logs, ...sources, ...(uncles.length > 0 ? { uncles } : {}) };
};

const HEADER_BATCH = 100;

const writeHeaders = async (file: FileHandle, { node, onProgress }: PackRequest, from: number, to: number): Promise<void> => {
  for (let at = from; at < to; at += HEADER_BATCH) {
    const numbers = Array.from({ length: Math.min(HEADER_BATCH, to - at) }, (_, i) => at + i);
    const blocks = (await askAll(node, numbers.map((number) => ({ method: 'eth_getBlockByNumber', params: [quantity(number), false] })))) as Block[];
    const lines = blocks.map(({ transactions: _transactions, uncles: _uncles, withdrawals: _withdrawals, ...header }) => `${JSON.stringify({ block: header })}\n`);
    await file.appendFile(lines.join(''));
    onProgress(at - from + numbers.length);
  }
};

const stateLine = async (node: Asked, address: string, slots: readonly string[], at: string): Promise<Block> => {
  const [proof, balance, nonce, code, ...storage] = await askAll(node, [
    { method: 'eth_getProof', params: [address, slots, at] },
    { method: 'eth_getBalance', params: [address, at] },
    { method: 'eth_getTransactionCount', params: [address, at] },
    { method: 'eth_getCode', params: [address, at] },
    ...slots.map((slot): Call => ({ method: 'eth_getStorageAt', params: [address, slot, at] })),
  ]);
  return { proof, flat: { balance, nonce, code, storage } };
};

/**
 * Captures blocks, receipts, logs and state proofs of a node at its head, as files that travel with a snapshot of it.
 * @returns what the node was at; the same after the capture as before it, or it fails
 * @throws AskFault when the node lacks a method or moves on meanwhile
 */
export async function capturePack(request: PackRequest): Promise<NodeFacts> {
  const { node, directory, blocks, fromBlock, samples, watch, onProgress } = request;
  const facts = await nodeFacts(node);
  const { head } = facts;
  const firstWhole = Math.max(fromBlock, head.number - blocks + 1);
  makeFolder(directory);
  const file = await open(join(directory, PROOF_FILES.blocks), 'wx');
  const wholes: Block[] = [];
  try {
    await writeHeaders(file, request, fromBlock, firstWhole);
    for (let number = firstWhole; number <= head.number; number++) {
      const whole = await wholeBlock(node, number);
      await file.appendFile(`${JSON.stringify(whole)}\n`);
      wholes.push(whole);
      onProgress(number - fromBlock + 1);
    }
  } finally {
    await file.close();
  }
  const state = await open(join(directory, PROOF_FILES.state), 'wx');
  try {
    for (const { address, slots } of samplesOf(wholes, watch, samples)) await state.appendFile(`${JSON.stringify(await stateLine(node, address, slots, quantity(head.number)))}\n`);
  } finally {
    await state.close();
  }
  const after = await nodeFacts(node);
  if (after.head.hash !== head.hash) throw new AskFault(`${node.name}: went from block ${head.number} to ${after.head.number} during the capture`);
  return facts;
}
