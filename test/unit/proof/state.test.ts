import { createMerkleProof, createMPT, type MerklePatriciaTrie } from '@ethereumjs/mpt';
import { encodeRlp, keccak256, toBeHex } from 'ethers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkAccountProof } from '../../../src/proof/account.ts';
import { ProofFault } from '../../../src/proof/fault.ts';
import { toHex } from '../../../src/proof/hex.ts';
import { trieRoot } from '../../../src/proof/trie.ts';
import { readTrieProof } from '../../../src/proof/trieProof.ts';
import { runState } from '../../../src/verify/proofJobs.ts';
import { keccak, sha256 } from '../../help/mainnet.ts';
import { type Json, quantity } from '../../help/oracleBlock.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.slice(2), 'hex'));
const hex = (part: Uint8Array): string => `0x${Buffer.from(part).toString('hex')}`;
const rlpQuantity = (value: bigint): string => (value === 0n ? '0x' : toBeHex(value));
const NO_CODE = keccak256('0x');
const addressOf = (i: number): string => `0x${i.toString(16).padStart(40, '0')}`;
const slotOf = (i: number): string => toBeHex(i, 32);

interface Account { readonly nonce: bigint; readonly balance: bigint; readonly codeHash: string; readonly slots: ReadonlyMap<number, bigint> }

const fault = (check: () => unknown): string | null => {
  try {
    check();
    return null;
  } catch (error) {
    if (!(error instanceof ProofFault)) throw error;
    return `${error.verdict} ${error.field}`;
  }
};

/** A state by @ethereumjs/mpt that answers eth_getProof. */
class OracleState {
  readonly #accounts: ReadonlyMap<number, Account>;
  readonly #storage = new Map<number, MerklePatriciaTrie>();
  readonly #trie: MerklePatriciaTrie;

  private constructor(accounts: ReadonlyMap<number, Account>, trie: MerklePatriciaTrie) {
    this.#accounts = accounts;
    this.#trie = trie;
  }

  static async of(accounts: ReadonlyMap<number, Account>): Promise<OracleState> {
    const state = new OracleState(accounts, await createMPT());
    for (const [i, { nonce, balance, codeHash, slots }] of accounts) {
      const storage = await createMPT();
      for (const [slot, value] of slots) await storage.put(keccak(bytes(slotOf(slot))), bytes(encodeRlp(rlpQuantity(value))));
      state.#storage.set(i, storage);
      await state.#trie.put(keccak(bytes(addressOf(i))), bytes(encodeRlp([rlpQuantity(nonce), rlpQuantity(balance), hex(storage.root()), codeHash])));
    }
    return state;
  }

  get root(): Uint8Array {
    return this.#trie.root();
  }

  async proof(i: number, slots: readonly number[]): Promise<Json> {
    const account = this.#accounts.get(i);
    const storage = this.#storage.get(i) ?? (await createMPT());
    const path = async (trie: MerklePatriciaTrie, key: string) => (await createMerkleProof(trie, keccak(bytes(key)))).map(hex).filter((node) => node !== '0x80');
    const storageProof = await Promise.all(slots.map(async (slot) => ({ key: slot % 2 === 0 ? slotOf(slot) : quantity(slot), value: quantity(account?.slots.get(slot) ?? 0n), proof: await path(storage, slotOf(slot)) })));
    return { address: addressOf(i), nonce: quantity(account?.nonce ?? 0n), balance: quantity(account?.balance ?? 0n), codeHash: account?.codeHash ?? NO_CODE, storageHash: hex(storage.root()), accountProof: await path(this.#trie, addressOf(i)), storageProof };
  }
}

const account = fc.record({ nonce: fc.bigInt(0n, 1n << 40n), balance: fc.bigInt(0n, 1n << 200n), codeHash: fc.constantFrom(NO_CODE, `0x${'c'.repeat(64)}`), slots: fc.uniqueArray(fc.tuple(fc.nat(40), fc.bigInt(1n, (1n << 256n) - 1n)), { maxLength: 12, selector: ([slot]) => slot }).map((pairs) => new Map(pairs)) });
const accounts = fc.uniqueArray(fc.tuple(fc.nat(60), account), { maxLength: 40, selector: ([i]) => i }).map((pairs) => new Map<number, Account>(pairs));

test('what eth_getProof answers of a state by @ethereumjs/mpt holds, for what is there and what is not; with any bit changed it does not', async () => {
  await fc.assert(
    fc.asyncProperty(accounts, fc.nat(60), fc.uniqueArray(fc.nat(45), { maxLength: 6 }), fc.nat(), async (all, i, slots, at) => {
      const state = await OracleState.of(all);
      const proof = await state.proof(i, slots);
      const own = all.get(i);
      expect(checkAccountProof(keccak, state.root, proof)).toEqual({ isPresent: own !== undefined, slots: own === undefined || own.slots.size === 0 ? 0 : slots.length });
      const nodes = [proof['accountProof'] as string[], ...(proof['storageProof'] as { proof: string[] }[]).map((slot) => slot.proof)].filter(({ length }) => length > 0);
      if (nodes.length === 0) return;
      const list = nodes[at % nodes.length]!;
      const node = bytes(list[at % list.length]!);
      node[at % node.length]! ^= 1 << at % 8;
      list[at % list.length] = hex(node);
      expect(fault(() => checkAccountProof(keccak, state.root, proof))).toMatch(/^failed (account|storage)Proof\[/);
    }),
    { numRuns: 150 },
  );
});

describe('that a key is absent is shown by', () => {
  const key = (text: string): Uint8Array => bytes(`0x${text}`);
  const long = (digit: string): Uint8Array => bytes(`0x${digit.repeat(80)}`);
  const read = async (pairs: readonly (readonly [string, Uint8Array])[], asked: string): Promise<readonly [Uint8Array | null, number]> => {
    const trie = await createMPT();
    for (const [one, value] of pairs) await trie.put(key(one), value);
    const nodes = (await createMerkleProof(trie, key(asked))).filter((node) => hex(node) !== '0x80');
    expect(toHex(trieRoot(keccak, pairs.map(([one, value]) => ({ key: key(one), value }))))).toBe(hex(trie.root()));
    return [readTrieProof(keccak, nodes, { root: trie.root(), key: key(asked), field: 'p' }), nodes.length];
  };
  const small = bytes('0x07');

  test.each<[string, (readonly [string, Uint8Array])[], string, number]>([
    ['an empty trie', [], '1234', 0],
    ['an empty child of a branch', [['1234', long('a')], ['2234', long('b')]], '3234', 1],
    ['a leaf with another path', [['1234', long('a')], ['2234', long('b')]], '1235', 2],
    ['a single leaf', [['1234', long('a')]], '1235', 1],
    ['an extension with another path', [['1234', long('a')], ['1235', long('b')]], '1334', 1],
    ['an extension that the key ends in', [['123456', long('a')], ['123457', long('b')]], '12', 1],
    ['a branch without a value, that the key ends at', [['1234', long('a')], ['1254', long('b')]], '12', 2],
    ['a branch behind an extension', [['1234', long('a')], ['1254', long('b')]], '1264', 2],
    ['a leaf that stands in its parent', [['1234', small], ['2234', small]], '1235', 1],
    ['a branch that stands in its parent', [['123456', small], ['123457', small], ['9234', long('a')]], '123458', 1],
  ])('%s', async (_name, pairs, asked, least) => {
    const [value, nodes] = await read(pairs, asked);
    expect(value).toBeNull();
    expect(nodes).toBeGreaterThanOrEqual(least);
    for (const [one, own] of pairs) expect((await read(pairs, one))[0]).toEqual(own);
  });
});

describe('an answer that', () => {
  const all = new Map<number, Account>(Array.from({ length: 30 }, (_, i) => [i, { nonce: BigInt(i), balance: 10n ** 18n + BigInt(i), codeHash: NO_CODE, slots: new Map([[0, 5n], [1, 0xfffn], [2, 1n << 255n]]) }]));
  const told = async (i: number, change: (proof: Json) => Json, slots = [0, 1, 2, 3]): Promise<string | null> => {
    const state = await OracleState.of(all);
    const proof = await state.proof(i, slots);
    return fault(() => checkAccountProof(keccak, state.root, change(proof)));
  };
  const slots = (change: (list: Json[]) => unknown[]) => (proof: Json): Json => ({ ...proof, storageProof: change(proof['storageProof'] as Json[]) });

  test('has leading zeros, capitals, or zeros for what is absent, is a good one', async () => {
    expect(await told(3, (proof) => ({ ...proof, nonce: '0x0003', balance: toBeHex(10n ** 18n + 3n, 32).toUpperCase().replace('0X', '0x') }))).toBeNull();
    expect(await told(3, slots((list) => list.map((slot) => ({ ...slot, value: toBeHex(BigInt(String(slot['value'])), 32) }))))).toBeNull();
    expect(await told(99, (proof) => ({ ...proof, codeHash: `0x${'0'.repeat(64)}`, storageHash: `0x${'0'.repeat(64)}`, balance: '0x', storageProof: undefined }))).toBeNull();
  });

  test('leaves a node out, has one too many, one twice, or those of another account, is not', async () => {
    const nodes = (change: (list: string[]) => string[]) => (proof: Json): Json => ({ ...proof, accountProof: change(proof['accountProof'] as string[]) });
    expect(await told(3, nodes((list) => list.slice(0, -1)))).toMatch(/^failed accountProof\[\d\]$/);
    expect(await told(3, nodes((list) => [...list, '0xc0']))).toMatch(/^failed accountProof\[\d\]$/);
    expect(await told(3, nodes((list) => [list[0]!, ...list]))).toBe('failed accountProof[1]');
    expect(await told(3, nodes(() => []))).toBe('failed accountProof[0]');
    const other = (await (await OracleState.of(all)).proof(4, [])) as { accountProof: string[] };
    expect(await told(3, nodes(() => other.accountProof))).toMatch(/^failed /);
    expect(await told(99, (proof) => ({ ...proof, balance: '0x1' }))).toBe('failed balance');
    expect(await told(99, slots((list) => [{ ...list[0]!, value: '0x1' }]))).toBe('failed storageProof[0].value');
  });

  test('counts a slot twice, or is none at all, is not', async () => {
    expect(await told(3, slots((list) => [...list, { ...list[1]!, key: slotOf(1) }]))).toBe('failed storageProof[4].key');
    expect(await told(3, slots(() => [null]))).toBe('failed storageProof[0]');
    expect(await told(3, (proof) => ({ ...proof, storageProof: 'x' }))).toBe('failed storageProof');
  });

  test('is of a network whose accounts have more members, is not understood', async () => {
    const trie = await createMPT();
    await trie.put(keccak(bytes(addressOf(1))), bytes(encodeRlp(['0x01', '0x', '0x02', NO_CODE, NO_CODE])));
    const proof = { address: addressOf(1), accountProof: (await createMerkleProof(trie, keccak(bytes(addressOf(1))))).map(hex) };
    expect(fault(() => checkAccountProof(keccak, trie.root(), proof))).toBe('unsupported accountProof');
  });

  test('whatever stands in place of a value, the fault is one of a field', async () => {
    const state = await OracleState.of(all);
    const proof = await state.proof(3, [0, 1, 3]);
    const odd = fc.constantFrom<unknown>(null, '', '0x', '0xg', 0, -1, true, [], {}, [null], '0x1', 'x'.repeat(70), `0x${'f'.repeat(66)}`);
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 1, maxLength: 5 }), odd, fc.boolean(), (path, value, isDeleted) => {
        const line = structuredClone({ proof, flat: { balance: proof['balance'], nonce: '0x3', code: '0x', storage: ['0x5', '0xfff', '0x0'] } });
        let at = line as Record<string, unknown>;
        for (const step of path.slice(0, -1)) {
          const inner = Object.values(at).filter((item) => typeof item === 'object' && item !== null) as Record<string, unknown>[];
          at = inner[step % inner.length] ?? at;
        }
        const name = Object.keys(at)[path.at(-1)! % Object.keys(at).length];
        if (name === undefined) return;
        if (isDeleted && !Array.isArray(at)) delete at[name];
        else at[name] = value;
        runState({ keccak, sha256 }, { kind: 'state', bytes: Buffer.from(`${JSON.stringify(line)}\n`), stateRoot: toHex(state.root), firstLine: 1 });
      }),
      { numRuns: 1000 },
    );
  });
});
