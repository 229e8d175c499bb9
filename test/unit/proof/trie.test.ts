import { createMPT, createMerkleProof } from '@ethereumjs/mpt';
import { decodeRlp, encodeRlp } from 'ethers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProofFault } from '../../../src/proof/fault.ts';
import { toHex } from '../../../src/proof/hex.ts';
import { rlpDecode, rlpEncode, type RlpItem, rlpNumber } from '../../../src/proof/rlp.ts';
import { listRoot, trieRoot } from '../../../src/proof/trie.ts';
import { readTrieProof } from '../../../src/proof/trieProof.ts';
import { keccak } from '../../help/mainnet.ts';

const value = fc.uint8Array({ minLength: 1, maxLength: 70 });

/** Keys that share prefixes often; one may be the start of another. */
const key = fc.array(fc.constantFrom(0, 1, 0x10, 0x11, 0xff), { minLength: 1, maxLength: 6 }).map((bytes) => Uint8Array.from(bytes));
const pairs = fc.uniqueArray(fc.record({ key, value }), { minLength: 1, maxLength: 30, selector: ({ key: bytes }) => bytes.join() });

const oracle = async (list: readonly { key: Uint8Array; value: Uint8Array }[]) => {
  const trie = await createMPT();
  for (const pair of list) await trie.put(pair.key, pair.value);
  return trie;
};

test('lists have the root that @ethereumjs/mpt gives them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.array(value, { maxLength: 20 }), fc.constantFrom(1, 127, 128, 129, 255, 256, 300).map((n) => Array.from({ length: n }, (_, i) => Uint8Array.of(i & 255, 7)))), async (values) => {
      const trie = await oracle(values.map((one, i) => ({ key: rlpNumber(i), value: one })));
      expect(toHex(listRoot(keccak, values))).toBe(toHex(trie.root()));
    }),
    { numRuns: 60 },
  );
});

test('so have other tries, and each proof of it is read', async () => {
  await fc.assert(
    fc.asyncProperty(pairs, key, async (list, other) => {
      const trie = await oracle(list);
      const root = trieRoot(keccak, list);
      expect(toHex(root)).toBe(toHex(trie.root()));
      for (const asked of [other, ...list.slice(0, 4).map((pair) => pair.key)]) {
        const nodes = await createMerkleProof(trie, asked);
        const expected = list.find((pair) => pair.key.join() === asked.join())?.value ?? null;
        expect(readTrieProof(keccak, nodes, { root, key: asked, field: 'p' })).toEqual(expected);
      }
    }),
    { numRuns: 100 },
  );
});

test('a proof with a bit changed, a node less or one more is never read', async () => {
  await fc.assert(
    fc.asyncProperty(pairs, fc.nat(), fc.nat(), async (list, at, bit) => {
      const trie = await oracle(list);
      const asked = list[at % list.length]!.key;
      const nodes = (await createMerkleProof(trie, asked)).map((node) => Uint8Array.from(node));
      const node = nodes[at % nodes.length]!;
      const claim = { root: trie.root(), key: asked, field: 'p' };
      // A last node below 32 bytes stands in its parent too.
      if (nodes.length === 1 || nodes.at(-1)!.length >= 32) expect(() => readTrieProof(keccak, nodes.slice(0, -1), claim)).toThrow(ProofFault);
      expect(() => readTrieProof(keccak, [...nodes, node], claim)).toThrow(ProofFault);
      node[bit % node.length]! ^= 1 << bit % 8;
      expect(() => readTrieProof(keccak, nodes, claim)).toThrow(ProofFault);
    }),
    { numRuns: 100 },
  );
});

const { item } = fc.letrec<{ item: RlpItem }>((tie) => ({
  item: fc.oneof({ maxDepth: 3 }, fc.uint8Array({ maxLength: 80 }), fc.array(tie('item'), { maxLength: 5 })),
}));

test('RLP is that of ethers, both ways, and there is one form only', () => {
  const hex = (part: RlpItem): string | object => (part instanceof Uint8Array ? toHex(part) : part.map(hex));
  fc.assert(
    fc.property(item, fc.nat(), (part, at) => {
      const encoded = rlpEncode(part);
      expect(toHex(encoded)).toBe(encodeRlp(hex(part) as string));
      expect(hex(rlpDecode(encoded))).toEqual(decodeRlp(encoded));
      const changed = Uint8Array.from(encoded);
      changed[at % changed.length]! ^= 1 << at % 8;
      try {
        expect(toHex(rlpEncode(rlpDecode(changed)))).toBe(toHex(changed));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 500 },
  );
});

test.each(['0x8101', '0xb801ff', '0xc281', '0x', '0x8000', '0xf800', '0xb90001', `0x${'c1'.repeat(20)}c0`])('malformed RLP %s', (text) =>
  expect(() => rlpDecode(Uint8Array.from(Buffer.from(text.slice(2), 'hex')))).toThrow(RangeError));
