import { encodeRlp, keccak256, toBeHex } from 'ethers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkBody } from '../../../src/proof/body.ts';
import { ProofFault } from '../../../src/proof/fault.ts';
import { statusFrom } from '../../../src/proof/forks.ts';
import { type Captured, checkHeader, encodeHeader } from '../../../src/proof/header.ts';
import { toHex } from '../../../src/proof/hex.ts';
import { checkReceipts, compareLogs } from '../../../src/proof/receipts.ts';
import { proveSegment } from '../../../src/proof/segment.ts';
import { keccak, type RealBlock, realBlocks, sha256 } from '../../help/mainnet.ts';
import { type Json, oracleRoot } from '../../help/oracleBlock.ts';

const blocks = realBlocks();
const one = (number: number): RealBlock => structuredClone(blocks.find(({ block }) => Number(block.number) === number) ?? blocks[0]!);
const hashed = (block: Captured): Captured => ({ ...block, hash: toHex(keccak(encodeHeader(block))) });
const fault = (check: () => unknown): string | null => {
  try {
    check();
    return null;
  } catch (error) {
    if (!(error instanceof ProofFault)) throw error;
    return `${error.verdict} ${error.field}`;
  }
};
const word = (digit: string): string => `0x${digit.repeat(64)}`;

describe('receipts from before Byzantium', () => {
  const { block, receipts = [] } = one(2_463_413);
  const answered = (change: (receipt: Captured, i: number) => Captured, from = statusFrom(1)) => fault(() => checkReceipts(keccak, block, receipts.map(change), from));
  const without = ({ root: _root, ...rest }: Captured): Captured => rest;

  test('with their roots, or these and a status', () => {
    expect(answered((receipt) => receipt)).toBeNull();
    expect(answered((receipt) => ({ ...receipt, status: '0x1' }))).toBeNull();
    expect(answered((receipt) => ({ ...receipt, status: null }), 0)).toBeNull();
  });

  test('without either, or with a status only, show nothing and are no damage', () => {
    expect(answered(without)).toBe('notProvable receipts[0].status');
    expect(answered((receipt) => ({ ...without(receipt), root: null, status: null }))).toBe('notProvable receipts[0].status');
    expect(answered((receipt) => ({ ...without(receipt), status: '0x1' }))).toBe('notProvable receiptsRoot');
    expect(answered((receipt) => ({ ...without(receipt), status: '0x1', root: '0x' }))).toBe('notProvable receiptsRoot');
  });

  test('with a root that is not theirs, or a status where there were none any more, are wrong', () => {
    expect(answered((receipt, i) => (i === 3 ? { ...receipt, root: word('1') } : receipt))).toBe('failed receiptsRoot');
    expect(answered((receipt, i) => (i === 3 ? { ...receipt, root: '0x12' } : receipt))).toBe('failed receipts[3].root');
    expect(answered((receipt) => ({ ...without(receipt), status: '0x1' }), 0)).toBe('failed receiptsRoot');
    const later = one(7_000_000);
    expect(fault(() => checkReceipts(keccak, later.block, (later.receipts ?? []).map((receipt) => ({ ...receipt, root: '0x' })), statusFrom(1)))).toBeNull();
    expect(fault(() => checkReceipts(keccak, later.block, (later.receipts ?? []).map(({ status: _status, ...receipt }) => receipt), statusFrom(1)))).toBe('notProvable receipts[0].status');
    expect(fault(() => checkReceipts(keccak, later.block, (later.receipts ?? []).map((receipt) => ({ ...receipt, status: '0x0' })), statusFrom(1)))).toBe('failed receiptsRoot');
  });

  test('begin where the chain says', () => expect([1, 61, 31_337].map(statusFrom)).toEqual([4_370_000, 8_772_000, 0]));
});

describe('what nodes answer in their own ways', () => {
  const real = one(22_431_084);
  const body = (change: (transaction: Json, i: number) => Json) => fault(() => checkBody(keccak, { ...real.block, transactions: (real.block['transactions'] as Json[]).map(change) }, undefined));

  test('in capitals, without a type, with nulls, with lists left out', () => {
    expect(body((transaction) => ({ ...transaction, hash: `0x${String(transaction['hash']).slice(2).toUpperCase()}`, input: `0X${String(transaction['input']).slice(2).toUpperCase()}` }))).toBeNull();
    expect(body(({ type, ...rest }) => (type === '0x0' ? rest : { ...rest, type: `0x0${String(type).slice(2)}` }))).toBeNull();
    expect(body((transaction) => (transaction['type'] === '0x0' ? { ...transaction, type: null, accessList: null, yParity: null } : transaction))).toBeNull();
    expect(body(({ accessList, ...rest }) => ((accessList as unknown[] | undefined)?.length === 0 ? rest : { ...rest, accessList }))).toBeNull();
    expect(body(({ value, ...rest }) => ({ ...rest, value: value === '0x0' ? '0x' : value }))).toBeNull();
  });

  test('receipts without their type, bloom and places', () => {
    const receipts = (real.receipts ?? []).map(({ type: _type, logsBloom: _bloom, transactionIndex: _index, blockHash: _hash, gasUsed: _gas, ...rest }) => rest);
    expect(fault(() => checkReceipts(keccak, real.block, receipts))).toBeNull();
  });

  test('an authorization that is void, with any byte for its parity', async () => {
    const list = [['0x', `0x${'12'.repeat(20)}`, '0x', '0x1c', '0x01', '0x02']];
    const target = `0x${'34'.repeat(20)}`;
    const encoded = `0x04${encodeRlp(['0x01', '0x', '0x01', '0x02', '0x5208', target, '0x', '0x', [], list, '0x', '0x05', '0x06']).slice(2)}`;
    const transaction = { type: '0x4', hash: keccak256(encoded), chainId: '0x1', nonce: '0x0', maxPriorityFeePerGas: '0x1', maxFeePerGas: '0x2', gas: '0x5208', to: target, value: '0x0', input: '0x', accessList: [], yParity: '0x0', r: '0x5', s: '0x6', authorizationList: [{ chainId: '0x0', address: list[0]![1], nonce: '0x0', yParity: '0x1c', r: '0x1', s: toBeHex(2, 32) }] };
    const block = { ...real.block, transactions: [transaction], transactionsRoot: await oracleRoot([encoded]) };
    expect(fault(() => checkBody(keccak, block, undefined))).toBeNull();
    const { yParity, ...rest } = transaction.authorizationList[0]!;
    expect(fault(() => checkBody(keccak, { ...block, transactions: [{ ...transaction, authorizationList: [{ ...rest, v: yParity }] }] }, undefined))).toBeNull();
  });

  test('uncles as headers, and each fault in one with its place', () => {
    const { transactions: _transactions, ...uncle } = one(1_155_095).block;
    const block = { ...one(1).block, uncles: [uncle.hash], sha3Uncles: keccak256(encodeRlp([])) };
    const sha3Uncles = keccak256(`0xf9${(encodeHeader(uncle).length).toString(16).padStart(4, '0')}${toHex(encodeHeader(uncle)).slice(2)}`);
    expect(fault(() => checkBody(keccak, { ...block, sha3Uncles }, [uncle]))).toBeNull();
    expect(fault(() => checkBody(keccak, { ...block, sha3Uncles }, [{ ...uncle, gasUsed: '0x1' }]))).toBe('failed uncles[0].hash');
    expect(fault(() => checkBody(keccak, { ...block, sha3Uncles }, [uncle, uncle]))).toBe('failed sha3Uncles');
  });
});

describe('blocks of other networks are not called damaged', () => {
  const real = one(22_431_084).block;
  const first = (real['transactions'] as Json[])[0]!;
  const withFirst = (change: Json) => fault(() => checkBody(keccak, { ...real, transactions: [{ ...first, ...change }] }, undefined));

  test.each(['0x7e', '0x6a', '0x64', '0x7f', '0x71', '0x5', '0xff'])('transaction type %s', (type) => expect(withFirst({ type })).toBe('unsupported transactions[0].type'));
  test('a transaction that nobody signed', () => expect(withFirst({ type: '0x0', v: '0x0', r: '0x0', s: '0x0' })).toBe('unsupported transactions[0].v'));

  test('a header with other members, and without one of its own', () => {
    const { mixHash: _mixHash, nonce: _nonce, ...rest } = one(7_000_000).block;
    expect(fault(() => checkHeader(keccak, { ...rest, step: '331133', signature: word('1') }))).toBe('unsupported step');
    expect(fault(() => checkHeader(keccak, rest))).toBe('failed mixHash');
    expect(fault(() => checkHeader(keccak, { ...real, hash: word('1'), slotNumber: '0x1', blockAccessListHash: word('2') }))).toBe('unsupported slotNumber');
    expect(fault(() => checkHeader(keccak, hashed({ ...real, l1BlockNumber: '0x1', milliTimestamp: '0x2' })))).toBeNull();
  });

  test('a network that left a fork out has an empty field in its place', () => {
    const { withdrawalsRoot: _root, ...rest } = real;
    expect(fault(() => checkHeader(keccak, hashed(rest)))).toBeNull();
    expect(fault(() => checkHeader(keccak, rest))).toBe('failed withdrawalsRoot');
  });
});

describe('members that no hash commits to', () => {
  const { block, receipts = [] } = one(17_510_000);
  const at = receipts.findIndex(({ logs }) => (logs as unknown[]).length > 0);
  const transactions = (change: Json) => fault(() => checkBody(keccak, { ...block, transactions: (block['transactions'] as Json[]).map((transaction, i) => (i === 2 ? { ...transaction, ...change } : transaction)) }, undefined));
  const changed = (change: (receipt: Captured) => Captured) => receipts.map((receipt, i) => (i === at ? change(receipt) : receipt));

  test.each([['blockHash', word('1')], ['blockNumber', '0x1'], ['transactionIndex', '0x77']])('%s', (name, value) => {
    expect(transactions({ [name]: value })).toBe(`failed transactions[2].${name}`);
    expect(transactions({ [name]: null })).toBeNull();
    expect(fault(() => checkReceipts(keccak, block, changed((receipt) => ({ ...receipt, [name]: value }))))).toBe(`failed receipts[${at}].${name}`);
    const inLog = changed((receipt) => ({ ...receipt, logs: (receipt['logs'] as Json[]).map((log, i) => (i === 0 ? { ...log, [name]: value } : log)) }));
    expect(fault(() => checkReceipts(keccak, block, inLog))).toBe(`failed receipts[${at}].logs[0].${name}`);
    const proven = checkReceipts(keccak, block, receipts);
    const logs = receipts.flatMap((receipt) => receipt['logs'] as Json[]).map((log, i) => (i === 4 ? { ...log, [name]: value } : log));
    expect(fault(() => compareLogs(proven, logs, block))).toBe(`failed logs[4].${name}`);
  });

  test('whose a receipt is, and the place of a log', () => {
    for (const name of ['from', 'to']) expect(fault(() => checkReceipts(keccak, block, changed((receipt) => ({ ...receipt, [name]: `0x${'1'.repeat(40)}` }))))).toBe(`failed receipts[${at}].${name}`);
    const proven = checkReceipts(keccak, block, receipts);
    const logs = receipts.flatMap((receipt) => receipt['logs'] as Json[]);
    expect(fault(() => compareLogs(proven, logs.map((log) => ({ ...log, logIndex: '0x5' })), block))).toBe('failed logs[0]');
  });
});

describe('runs of blocks', () => {
  const options = { wanted: [], maxFaults: 3, statusFromBlock: 0 };
  const hashes = { keccak, sha256 };

  test('many faults of one kind hide none of another', () => {
    let parentHash: unknown = word('1');
    const lines = Array.from({ length: 12 }, (_, i) => {
      const { receipts: _receipts, ...line } = one(14_764_013);
      const block = hashed({ ...line.block, number: `0x${(100 + i).toString(16)}`, parentHash: i === 10 ? word('2') : parentHash, transactions: [] });
      parentHash = block['hash'];
      return { block };
    });
    const { faults } = proveSegment(hashes, lines, options);
    expect(faults.filter(({ level }) => level === 'L4')).toHaveLength(3);
    expect(faults.filter(({ level }) => level === 'L3')).toEqual([expect.objectContaining({ verdict: 'failed', where: 'block 110: parentHash' })]);
  });

  test('a list of transactions that is part hashes, part transactions is no header without a body', () => {
    const { block } = one(17_510_000);
    const transactions = block['transactions'] as Json[];
    const mixed = [...transactions.slice(0, 3), transactions[3]!['hash'], ...transactions.slice(4)];
    for (const list of [mixed, null, 'x', [null]]) expect(proveSegment(hashes, [{ block: { ...block, transactions: list } }], options).faults).toEqual([expect.objectContaining({ level: 'L4', verdict: 'failed' })]);
    expect(proveSegment(hashes, [{ block: { ...block, transactions: transactions.map(({ hash }) => hash) } }], options)).toMatchObject({ faults: [], counts: { headers: 1, bodies: 0 } });
  });

  test('a block without a number is named by what stands in its place', () => {
    expect(proveSegment(hashes, [{ block: { ...one(1).block, number: 'one' } }], options).faults[0]?.where).toBe('block "one": number');
    expect(proveSegment(hashes, [{ block: {} }], options).faults[0]?.where).toBe('block without a number: parentHash');
  });

  /** Members that no hash of the block commits to, nor another member: what the node worked out, or what later forks ask of old transactions. */
  const isFree = (path: readonly string[], transaction: Json | undefined): boolean => {
    const name = path.at(-1)!;
    const type = Number(transaction?.['type'] ?? 0);
    if (path[0] === 'block' && path[1] !== 'transactions') return ['size', 'totalDifficulty'].includes(name);
    if (path[0] === 'block') return (name === 'gasPrice' && type > 1) || (name === 'v' && type > 0) || (name === 'chainId' && type === 0);
    return ['effectiveGasPrice', 'contractAddress', 'blobGasPrice', 'blobGasUsed', 'blockTimestamp'].includes(name);
  };
  const leaves = (value: unknown, path: readonly string[] = []): (readonly string[])[] =>
    typeof value === 'string' ? [path] : typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key])) : [];

  test.each([2_463_413, 14_764_013])('no digit of block %d that something commits to can be changed unseen', (number) => {
    const { block, receipts = [], uncles } = one(number);
    const logs = receipts.flatMap((receipt) => receipt['logs'] as Json[]);
    const line = { block, receipts, logs, uncles: uncles ?? [] };
    const paths = leaves(line).filter((path) => !isFree(path, (block['transactions'] as Json[])[Number(path[2])]));
    expect(paths.length).toBeGreaterThan(300);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.nat(), (path, at) => {
        const changed = structuredClone(line) as unknown as Record<string, unknown>;
        const owner = path.slice(0, -1).reduce((inner, key) => inner[key] as Record<string, unknown>, changed);
        const name = path.at(-1)!;
        const text = owner[name] as string;
        const digit = text.length === 2 ? 2 : 2 + (at % (text.length - 2));
        owner[name] = text.length === 2 ? '0x01' : `${text.slice(0, digit)}${((Number.parseInt(text[digit]!, 16) + 1 + (at % 15)) % 16).toString(16)}${text.slice(digit + 1)}`;
        expect(proveSegment(hashes, [changed as never], options).faults).not.toEqual([]);
      }),
      { numRuns: 250 },
    );
  });

  test('whatever stands in place of a value, the fault is one of a field', () => {
    const odd = fc.constantFrom<unknown>(null, '', '0x', '0xg', 'x', 0, -1, true, [], {}, [null], [[]], '0x1', word('f'), 'ab'.repeat(40));
    const sources = { parent: one(1).block, proofs: [{ address: '0x00000961ef480eb55e80d19ad83579a64c007002', accountProof: ['0xc0'], storageProof: [{ key: '0x1', proof: [], value: '0x0' }] }, null] };
    fc.assert(
      fc.property(fc.constantFrom(14_764_013, 17_510_000, 22_431_084), fc.array(fc.nat(1000), { minLength: 1, maxLength: 8 }), odd, fc.boolean(), (number, path, value, isDeleted) => {
        const { block, receipts = [], uncles } = one(number);
        const transactions = (block['transactions'] as Json[]).slice(0, 4);
        const logs = receipts.slice(0, 4).flatMap((receipt) => receipt['logs'] as Json[]);
        const line = { line: { block: { ...block, transactions }, receipts: receipts.slice(0, 4), logs, uncles: uncles ?? [], requestSources: sources } };
        let at: Record<string, unknown> = line.line as never;
        for (const step of path.slice(0, -1)) {
          const inner = Object.values(at).filter((item) => typeof item === 'object' && item !== null) as Record<string, unknown>[];
          at = inner[step % inner.length] ?? at;
        }
        const key = Object.keys(at)[path.at(-1)! % Object.keys(at).length];
        if (key === undefined || at === (line.line as never) && key === 'block') return;
        if (isDeleted && !Array.isArray(at)) delete at[key];
        else at[key] = value;
        proveSegment(hashes, [line.line as never], options);
      }),
      { numRuns: 1500 },
    );
  });
});
