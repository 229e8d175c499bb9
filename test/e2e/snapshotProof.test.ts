import { id } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Anchors } from '../../src/proof/anchor.ts';
import type { ProofFault } from '../../src/proof/fault.ts';
import type { ProvenLog } from '../../src/proof/receipts.ts';
import { checkNoRequests, REQUEST_CONTRACTS, type RequestSources } from '../../src/proof/requestSources.ts';
import type { Verification } from '../../src/snapshot/manifest.ts';
import { VerifyPool } from '../../src/verify/pool.ts';
import { keccak } from '../help/mainnet.ts';
import { changedPack, fixHashes, type PackLine, type ProvenNode, provenNode, rehash } from '../help/provenNode.ts';
import { levelOf, scratch, Vault, writeFiles } from '../help/vault.ts';

let pool: VerifyPool;
let vault: Vault;
let node: ProvenNode;
const other = `0x${'7'.repeat(64)}`;

beforeAll(async () => {
  [node, vault] = await Promise.all([provenNode(), Vault.open()]);
  pool = new VerifyPool(2);
});
afterAll(() => pool?.close());

/** Captures with a proof, signs, and verifies. */
async function verified(proofDirectory: string, anchors: Partial<Anchors> = {}, head: object = {}): Promise<Verification> {
  const { facts } = node;
  const { candidate } = await vault.capture(node.data, {
    proofDirectory,
    facts: { ...Vault.facts, chain: { ...Vault.facts.chain, genesisHash: facts.genesisHash }, client: { kind: 'anvil', version: facts.clientVersion }, head: { ...facts.head, ...head } },
  });
  const atHead = { number: facts.head.number, answers: ['a', 'b', 'c'].map((peer) => ({ peer, hash: facts.head.hash })), quorum: 2 };
  return vault.verify(candidate, pool, { anchors: { checkpoints: [{ number: 0, hash: facts.genesisHash, from: 'genesis' }], peers: [atHead], ...anchors } });
}

const honest = () => writeFiles(scratch(), node.pack);

describe('a snapshot of a real node', () => {
  test('is proven from its bytes to its state', async () => {
    const verification = await verified(honest());
    expect(verification.levels.map(({ level, verdict }) => `${level} ${verdict}`)).toEqual(['L0 proven', 'L1 proven', 'L2 notRun', 'L3 proven', 'L4 proven', 'L5 proven', 'L6 proven']);
    const number = node.facts.head.number;
    expect(levelOf(verification, 'L3')).toMatchObject({ counts: { headers: number + 1, lowest: 0, anchor: number, blocksAboveAnchor: 0 } });
    expect(levelOf(verification, 'L4').counts).toMatchObject({ bodies: 5, transactions: 20, requestsProven: 5, requestsNotProvable: 0 });
    expect(levelOf(verification, 'L5').counts).toMatchObject({ receipts: 20, logs: 5, logsCompared: 5 });
    const { samples = 0, flat = 0, absent, damageSharePpm = 0 } = levelOf(verification, 'L6').counts;
    expect(samples).toBeGreaterThan(15);
    expect(flat).toBeGreaterThan(samples);
    expect(absent).toBe(1);
    // 1 - 0.05^(1/n), source of the formula: (1-f)^n = 0.05.
    expect(damageSharePpm).toBe(Math.ceil((1 - 0.05 ** (1 / samples)) * 1e6));
  });

  test('without an anchor shows only that it fits itself', async () => {
    const verification = await verified(honest(), { checkpoints: [], peers: [] });
    expect(levelOf(verification, 'L3')).toMatchObject({ verdict: 'notProvable' });
    expect(levelOf(verification, 'L6')).toMatchObject({ verdict: 'notProvable', why: 'the headers it rests on are notProvable' });
  });

  test('against a checkpoint or nodes that have other blocks', async () => {
    const { number } = node.facts.head;
    expect(levelOf(await verified(honest(), { checkpoints: [{ number: 3, hash: other, from: 'checkpoint' }] }), 'L3')).toMatchObject({ verdict: 'failed', why: expect.stringContaining('block 3: hash') });
    const answers = [{ peer: 'a', hash: other }, { peer: 'b', hash: other }, { peer: 'c', hash: node.facts.head.hash }];
    expect(levelOf(await verified(honest(), { peers: [{ number, answers, quorum: 2 }] }), 'L3')).toMatchObject({ verdict: 'failed', why: expect.stringContaining('a, b have') });
    const few = [{ peer: 'a', hash: node.facts.head.hash }, { peer: 'b', hash: null }];
    expect(levelOf(await verified(honest(), { checkpoints: [], peers: [{ number, answers: few, quorum: 2 }] }), 'L3')).toMatchObject({ verdict: 'notProvable' });
  });
});

test('that a block has no requests rests on the state before it and its own logs', () => {
  const { block, requestSources: sources } = JSON.parse(node.pack['blocks.ndjson']!.trimEnd().split('\n').at(-1)!) as { block: Record<string, unknown>; requestSources: RequestSources };
  const log = { address: REQUEST_CONTRACTS[0], topics: [], data: '0x', transactionHash: other, transactionIndex: 0 };
  const verdict = (change: Partial<RequestSources>, logs: ProvenLog[] = [], header = block) => {
    try {
      checkNoRequests(keccak, header, logs, { ...sources, ...change });
      return 'proven';
    } catch (error) {
      return (error as ProofFault).verdict;
    }
  };
  expect(verdict({})).toBe('proven');
  expect(verdict({}, [log])).toBe('notProvable');
  expect(verdict({}, [{ ...log, address: other, topics: [id('DepositEvent(bytes,bytes,bytes,bytes,bytes)')] }])).toBe('notProvable');
  expect(verdict({}, [{ ...log, address: other }])).toBe('proven');
  expect(verdict({ parent: block })).toBe('notProvable');
  expect(verdict({ proofs: sources.proofs.toReversed() })).toBe('notProvable');
  expect(verdict({ proofs: [] })).toBe('notProvable');
  expect(verdict({}, [], { ...block, requestsHash: other })).toBe('unsupported');
});

describe('what was tampered with is named', () => {
  const blocks = (change: (lines: PackLine[]) => void) => changedPack(node, 'blocks', change);
  const last = (lines: PackLine[]): PackLine => lines.at(-1)!;

  test.each<[string, string, (lines: PackLine[]) => void]>([
    ['a header with a wrong parent', 'parentHash', (lines) => { lines[3]!.block['parentHash'] = other; rehash(lines[3]!.block); }],
    ['a header left out', 'number', (lines) => { lines.splice(2, 1); }],
    ['two headers swapped', 'number', (lines) => { lines.splice(1, 2, lines[2]!, lines[1]!); }],
    ['the last block left out', 'snapshot.head.number', (lines) => { lines.pop(); }],
    ['another state root', 'hash', (lines) => { last(lines).block['stateRoot'] = other; }],
  ])('%s', async (_name, field, change) => {
    expect(levelOf(await verified(blocks(change)), 'L3')).toMatchObject({ verdict: 'failed', why: expect.stringContaining(field) });
  });

  test('a transaction, with every hash above it made to fit', async () => {
    const directory = blocks((lines) => {
      lines.at(-2)!.block.transactions[1]!['value'] = '0xffff';
      fixHashes(lines, lines.length - 2);
    });
    expect(levelOf(await verified(directory), 'L3')).toMatchObject({ verdict: 'failed', why: expect.stringContaining('snapshot.head.hash') });
  });

  test('and with the head of the manifest too', async () => {
    let head = {};
    const directory = blocks((lines) => {
      lines.at(-2)!.block.transactions[1]!['value'] = '0xffff';
      fixHashes(lines, lines.length - 2);
      head = { hash: last(lines).block['hash'] };
    });
    const verification = await verified(directory, {}, head);
    expect(levelOf(verification, 'L3')).toMatchObject({ verdict: 'failed', why: expect.stringContaining('a, b, c have') });
    expect(levelOf(verification, 'L4').verdict).not.toBe('proven');
  });

  test.each<[string, 'L4' | 'L5', string, (line: PackLine) => void]>([
    ['a transaction', 'L4', 'transactions[2].hash', ({ block }) => { block.transactions[2]!['nonce'] = '0x0'; }],
    ['a transaction left out', 'L4', 'transactionsRoot', ({ block }) => { block.transactions.pop(); }],
    ['a withdrawal', 'L4', 'withdrawalsRoot', ({ block }) => { block['withdrawals'] = [{ index: '0x0', validatorIndex: '0x1', address: `0x${'1'.repeat(40)}`, amount: '0x1' }]; }],
    ['a receipt', 'L5', 'receiptsRoot', ({ receipts }) => { receipts[1]!['status'] = '0x0'; }],
    ['a log', 'L5', 'receiptsRoot', ({ receipts }) => { receipts.find(({ logs }) => logs.length > 0)!.logs[0]!['data'] = '0x'; }],
    ['an index of logs', 'L5', 'logs', ({ logs }) => { logs.pop(); }],
  ])('%s', async (_name, level, field, change) => {
    const verification = await verified(blocks((lines) => change(last(lines))));
    expect(levelOf(verification, level)).toMatchObject({ verdict: 'failed', why: expect.stringContaining(`block ${node.facts.head.number}: ${field}`) });
  });

  test('a fork that is not known is no damage', async () => {
    const verification = await verified(blocks((lines) => Object.assign(last(lines).block, { blockAccessListHash: other, hash: other })));
    expect(levelOf(verification, 'L3')).toMatchObject({ verdict: 'unsupported', why: expect.stringContaining('blockAccessListHash') });
    const typed = await verified(blocks((lines) => { last(lines).block.transactions[0]!['type'] = '0x7e'; }));
    expect(levelOf(typed, 'L4')).toMatchObject({ verdict: 'unsupported', why: expect.stringContaining('transactions[0].type') });
  });

  type StateLine = { proof: Record<string, unknown> & { storageProof: Record<string, unknown>[] }; flat: Record<string, unknown> & { storage: unknown[] } };
  test.each<[string, string, (lines: StateLine[]) => void]>([
    ['a balance', 'balance', (lines) => { lines[1]!.proof['balance'] = '0x1'; }],
    ['what the node answers without a proof', 'flat.balance', (lines) => { lines[1]!.flat['balance'] = '0x1'; }],
    ['code', 'flat.code', (lines) => { lines[1]!.flat['code'] = '0x6001'; }],
    ['a slot', 'storageProof[0].value', (lines) => { lines.find(({ proof }) => proof['storageHash'] !== lines[0]!.proof['storageHash'])!.proof.storageProof[0]!['value'] = '0x1'; }],
    ['a slot without a proof', 'flat.storage[0]', (lines) => { lines.find(({ proof }) => proof['storageHash'] !== lines[0]!.proof['storageHash'])!.flat.storage[0] = '0x1'; }],
    ['a node of the trie', 'accountProof[0]', (lines) => { (lines[2]!.proof['accountProof'] as string[])[0] = '0xc0'; }],
  ])('a sample: %s', async (_name, field, change) => {
    expect(levelOf(await verified(changedPack(node, 'state', change as never)), 'L6')).toMatchObject({ verdict: 'failed', why: expect.stringContaining(field) });
  });

  test('lines that are no JSON, and none at all', async () => {
    expect(levelOf(await verified(writeFiles(scratch(), { ...node.pack, 'blocks.ndjson': '{"block":\n' })), 'L3').verdict).toBe('failed');
    expect(levelOf(await verified(writeFiles(scratch(), { ...node.pack, 'state.ndjson': 'x\n' })), 'L6').verdict).toBe('failed');
    const verification = await verified(writeFiles(scratch(), { note: 'no proof' }));
    expect(verification.levels.slice(3).map(({ verdict }) => verdict)).toEqual(['notRun', 'notRun', 'notRun', 'notRun']);
  });
});
