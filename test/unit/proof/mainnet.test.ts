import { describe, expect, test } from 'vitest';
import { checkAccountProof } from '../../../src/proof/account.ts';
import { checkBody } from '../../../src/proof/body.ts';
import { ProofFault } from '../../../src/proof/fault.ts';
import { type Captured, checkHeader } from '../../../src/proof/header.ts';
import { dataBytes } from '../../../src/proof/hex.ts';
import { checkReceipts, compareLogs } from '../../../src/proof/receipts.ts';
import { checkRequests } from '../../../src/proof/requests.ts';
import { keccak, realBlocks, realProofs, sha256 } from '../../help/mainnet.ts';

const blocks = realBlocks();
const proofs = realProofs();
const one = (number: number) => structuredClone(blocks.find(({ block }) => Number(block.number) === number) ?? blocks[0]!);

/** What a check throws. */
const fault = (check: () => unknown): Pick<ProofFault, 'verdict' | 'field'> | null => {
  try {
    check();
    return null;
  } catch (error) {
    if (!(error instanceof ProofFault)) throw error;
    return { verdict: error.verdict, field: error.field };
  }
};

describe('real blocks of every fork', () => {
  test('there are some of each', () => {
    const numbers = blocks.map(({ block }) => Number(block.number));
    const forks = [0, 1_150_000, 1_920_000, 2_463_000, 2_675_000, 7_000_000, 9_069_000, 12_965_000, 15_537_394, 17_034_870, 19_426_587, 22_431_084, 23_935_694];
    expect(forks.map((from, i) => numbers.some((number) => number >= from && number < (forks[i + 1] ?? Infinity)))).not.toContain(false);
    expect(proofs).toHaveLength(20);
  });

  test.each(blocks.map((real) => [Number(real.block.number), real] as const))('%d', (number, { block, receipts, uncles }) => {
    expect(checkHeader(keccak, block)).toMatchObject({ number, hash: block.hash });
    // The headers of the uncles of block 97 are not at hand.
    if (number === 97) expect(fault(() => checkBody(keccak, block, uncles))).toEqual({ verdict: 'notProvable', field: 'sha3Uncles' });
    else expect(checkBody(keccak, block, uncles).transactions).toBe((block['transactions'] as unknown[]).length);
    if (receipts !== undefined) compareLogs(checkReceipts(keccak, block, receipts), receipts.flatMap(({ logs }) => logs as Captured[]), block);
  });

  test.each(proofs.map((proof, i) => [i, proof.kind, proof] as const))('proof %d: %s', (_i, kind, { stateRoot, proof }) => {
    const counts = checkAccountProof(keccak, dataBytes(stateRoot, 'stateRoot'), proof);
    expect(counts.isPresent).toBe(kind !== 'absent');
  });
});

describe('what was changed is named', () => {
  const zero = `0x${'0'.repeat(64)}`;
  const header = (change: Captured) => fault(() => checkHeader(keccak, { ...one(22_431_084).block, ...change }));

  test.each(Object.keys(one(22_431_084).block).filter((key) => !['size', 'totalDifficulty', 'transactions', 'uncles', 'withdrawals'].includes(key)))('header field %s', (field) => {
    const value = one(22_431_084).block[field] as string;
    const changed = value.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    expect(header({ [field]: changed })).toEqual({ verdict: 'failed', field: 'hash' });
  });

  test.each([['parentHash', '0x12'], ['number', '12'], ['nonce', zero], ['extraData', null], ['logsBloom', '0xzz']])('malformed %s', (field, value) =>
    expect(header({ [field]: value })).toEqual({ verdict: 'failed', field }));

  test('a field that a later fork cannot be without', () => expect(header({ withdrawalsRoot: null })).toEqual({ verdict: 'failed', field: 'withdrawalsRoot' }));

  test('an unknown field is of an unsupported fork only where the hash differs', () => {
    expect(header({ blockAccessListHash: zero, stateRoot: zero })).toEqual({ verdict: 'unsupported', field: 'blockAccessListHash' });
    expect(header({ l1BlockNumber: '0x1' })).toBeNull();
  });

  const body = (change: (block: Record<string, unknown>) => void, number = 22_431_084) => {
    const real = one(number);
    change(real.block as Record<string, unknown>);
    return fault(() => checkBody(keccak, real.block, real.uncles));
  };

  test('a transaction, and its hash with it', () => {
    expect(body(({ transactions }) => { (transactions as Record<string, string>[])[3]!['value'] = '0x5'; })).toEqual({ verdict: 'failed', field: 'transactions[3].hash' });
    expect(body(({ transactions }) => { (transactions as unknown[]).pop(); })).toEqual({ verdict: 'failed', field: 'transactionsRoot' });
    expect(body(({ transactions }) => { (transactions as unknown[]).reverse(); })).toEqual({ verdict: 'failed', field: 'transactionsRoot' });
    expect(body(({ transactions }) => { (transactions as Record<string, string>[])[0]!['type'] = '0x7e'; })).toEqual({ verdict: 'unsupported', field: 'transactions[0].type' });
    expect(body(({ transactions }) => { (transactions as Record<string, string>[])[0]!['to'] = '0x12'; })).toEqual({ verdict: 'failed', field: 'transactions[0].to' });
  });

  test('a withdrawal', () => {
    expect(body(({ withdrawals }) => { (withdrawals as Record<string, string>[])[2]!['amount'] = '0x5'; })).toEqual({ verdict: 'failed', field: 'withdrawalsRoot' });
  });

  test('uncles', () => {
    const real = one(14_764_013);
    expect(fault(() => checkBody(keccak, real.block, undefined))).toEqual({ verdict: 'notProvable', field: 'sha3Uncles' });
    expect(fault(() => checkBody(keccak, real.block, []))).toEqual({ verdict: 'failed', field: 'uncles[0]' });
    expect(fault(() => checkBody(keccak, { ...real.block, uncles: [] }, [...(real.uncles ?? []), ...(real.uncles ?? [])]))).toEqual({ verdict: 'failed', field: 'sha3Uncles' });
    expect(body((block) => Object.assign(block, { uncles: [zero] }))).toEqual({ verdict: 'failed', field: 'uncles' });
  });

  const receipts = (change: (all: Record<string, unknown>[]) => void, number = 17_510_000) => {
    const real = one(number);
    change(real.receipts as never);
    return fault(() => checkReceipts(keccak, real.block, real.receipts));
  };
  const withLogs = one(17_510_000).receipts?.findIndex(({ logs }) => (logs as unknown[]).length > 1) ?? -1;

  test('a receipt', () => {
    const at = `receipts[${withLogs}]`;
    const log = (all: Record<string, unknown>[]) => (all[withLogs]!['logs'] as Record<string, unknown>[])[1]!;
    expect(receipts((all) => { all[4]!['status'] = all[4]!['status'] === '0x1' ? '0x0' : '0x1'; })).toEqual({ verdict: 'failed', field: 'receiptsRoot' });
    expect(receipts((all) => { all[4]!['gasUsed'] = '0x1'; })).toEqual({ verdict: 'failed', field: 'receipts[4].gasUsed' });
    expect(receipts((all) => { all[4]!['transactionHash'] = zero; })).toEqual({ verdict: 'failed', field: 'receipts[4].transactionHash' });
    expect(receipts((all) => { log(all)['data'] = '0x01'; })).toEqual({ verdict: 'failed', field: 'receiptsRoot' });
    expect(receipts((all) => { log(all)['address'] = `0x${'1'.repeat(40)}`; })).toEqual({ verdict: 'failed', field: `${at}.logsBloom` });
    expect(receipts((all) => { log(all)['logIndex'] = '0xfff'; })).toEqual({ verdict: 'failed', field: `${at}.logs[1].logIndex` });
    expect(receipts((all) => { all.pop(); })).toEqual({ verdict: 'failed', field: 'receipts' });
    expect(fault(() => checkReceipts(keccak, { ...one(17_510_000).block, logsBloom: `0x${'0'.repeat(512)}` }, one(17_510_000).receipts))).toEqual({ verdict: 'failed', field: 'logsBloom' });
  });

  test('an index of logs that disagrees with the receipts', () => {
    const { block, receipts: all } = one(17_510_000);
    const proven = checkReceipts(keccak, block, all);
    const logs = structuredClone((all ?? []).flatMap(({ logs: own }) => own as Record<string, unknown>[]));
    expect(fault(() => compareLogs(proven, logs.slice(1), block))).toEqual({ verdict: 'failed', field: 'logs[0]' });
    expect(fault(() => compareLogs(proven, [...logs, logs[0]], block))).toEqual({ verdict: 'failed', field: 'logs' });
    logs[7]!['data'] = '0x';
    expect(fault(() => compareLogs(proven, logs, block))).toEqual({ verdict: 'failed', field: 'logs[7]' });
  });

  test('a list of requests', () => {
    const { block } = one(22_431_084);
    const empty = { ...block, requestsHash: '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' };
    expect(fault(() => checkRequests(sha256, block, undefined))).toEqual({ verdict: 'notProvable', field: 'requestsHash' });
    expect(fault(() => checkRequests(sha256, empty, ['0x00', '0x01']))).toBeNull();
    expect(fault(() => checkRequests(sha256, empty, ['0x0011']))).toEqual({ verdict: 'failed', field: 'requestsHash' });
    expect(fault(() => checkRequests(sha256, empty, ['0x01', '0x00']))).toEqual({ verdict: 'failed', field: 'requests[1]' });
  });

  const state = (change: (proof: Record<string, unknown>) => void) => {
    const { stateRoot, proof } = structuredClone(proofs[2]!);
    change(proof as Record<string, unknown>);
    return fault(() => checkAccountProof(keccak, dataBytes(stateRoot, 'stateRoot'), proof));
  };

  test('a state sample', () => {
    expect(state(() => {})).toBeNull();
    for (const field of ['balance', 'nonce']) expect(state((proof) => Object.assign(proof, { [field]: '0x7' }))).toEqual({ verdict: 'failed', field });
    for (const field of ['codeHash', 'storageHash']) expect(state((proof) => Object.assign(proof, { [field]: zero }))).toEqual({ verdict: 'failed', field });
    expect(state(({ storageProof }) => { (storageProof as Record<string, string>[])[1]!['value'] = '0x7'; })).toEqual({ verdict: 'failed', field: 'storageProof[1].value' });
    expect(state(({ accountProof }) => { (accountProof as string[])[2] = (accountProof as string[])[1]!; })).toEqual({ verdict: 'failed', field: 'accountProof[2]' });
    expect(state(({ accountProof }) => { (accountProof as string[]).pop(); })).toMatchObject({ verdict: 'failed' });
    expect(state(({ accountProof }) => { (accountProof as string[]).push((accountProof as string[])[0]!); })).toMatchObject({ verdict: 'failed' });
    expect(state((proof) => Object.assign(proof, { address: `0x${'1'.repeat(40)}` }))).toMatchObject({ verdict: 'failed' });
  });
});
