import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contract, ContractFactory, JsonRpcProvider, NonceManager, Wallet } from 'ethers';
import { encodeHeader } from '../../src/proof/header.ts';
import { toHex } from '../../src/proof/hex.ts';
import { encodeTransaction } from '../../src/proof/transaction.ts';
import { listRoot } from '../../src/proof/trie.ts';
import { ask } from '../../src/verify/ask.ts';
import { capturePack, type NodeFacts } from '../../src/verify/pack.ts';
import { PROOF_FILES } from '../../src/verify/verify.ts';
import { testAnvil } from './anvil.ts';
import { STORE_ABI, STORE_INIT_CODE } from './contract.ts';
import { keccak } from './mainnet.ts';
import { scratch, writeFiles } from './vault.ts';

type Json = Record<string, unknown>;

/** A line of `blocks.ndjson`. */
export interface PackLine {
  block: Json & { transactions: Json[] };
  receipts: (Json & { logs: Json[] })[];
  logs: Json[];
}

/** What was captured of a real node. */
export interface ProvenNode {
  readonly facts: NodeFacts;
  /** Folder with its state. */
  readonly data: string;
  /** The text of each file of its proof. */
  readonly pack: Readonly<Record<string, string>>;
}

const KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const BLOCKS = 6;

/** Fills a real chain with transactions of several types, logs and storage, and captures data and proof. */
export async function provenNode(): Promise<ProvenNode> {
  const anvil = await testAnvil();
  const node = { name: 'anvil', url: `http://127.0.0.1:${anvil.port}` };
  const provider = new JsonRpcProvider(node.url, 31_337, { staticNetwork: true });
  try {
    const signer = new NonceManager(new Wallet(KEY, provider));
    const contract = (await new ContractFactory(STORE_ABI, STORE_INIT_CODE, signer).deploy({ gasLimit: 500_000 })) as Contract;
    await ask(node, 'evm_mine', []);
    for (let i = 0; i < BLOCKS * 4; i++) {
      const fees = [{ type: 0, gasPrice: 3_000_000_000n }, { type: 1, gasPrice: 3_000_000_000n, accessList: [{ address: await contract.getAddress(), storageKeys: [`0x${'0'.repeat(64)}`] }] }, { type: 2 }][i % 3];
      if (i % 4 === 0) await contract.getFunction('set')(BigInt(i + 1), { gasLimit: 200_000, ...fees });
      else await signer.sendTransaction({ to: `0x${(0xabc000 + i).toString(16).padStart(40, '1')}`, value: BigInt(i), gasLimit: 100_000, ...fees });
      if (i % 4 === 3) await ask(node, 'evm_mine', []);
    }
    const directory = join(scratch(), 'proof');
    const facts = await capturePack({ node, directory, blocks: BLOCKS - 1, fromBlock: 0, samples: 32, watch: [`0x${'99'.repeat(20)}`], onProgress: () => {} });
    const data = writeFiles(scratch(), { 'state.json': JSON.stringify(await ask(node, 'anvil_dumpState', [])) });
    const pack = Object.fromEntries(Object.values(PROOF_FILES).map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
    return { facts, data, pack };
  } finally {
    provider.destroy();
    await anvil.stop(2000);
  }
}

const linesOf = <T>(text: string): T[] => text.trimEnd().split('\n').map((line) => JSON.parse(line) as T);

/** Writes a proof with its lines changed. */
export function changedPack({ pack }: ProvenNode, name: keyof typeof PROOF_FILES, change: (lines: never[]) => void): string {
  const lines = linesOf(pack[PROOF_FILES[name]] ?? '');
  change(lines as never[]);
  return writeFiles(scratch(), { ...pack, [PROOF_FILES[name]]: lines.map((line) => `${JSON.stringify(line)}\n`).join('') });
}

/** Lets a header claim the hash that it has. */
export function rehash(block: Json): void {
  block['hash'] = toHex(keccak(encodeHeader(block)));
}

/** Makes everything above a changed transaction fit again: hashes, roots, and all headers behind. What an attacker would do. */
export function fixHashes(lines: PackLine[], from: number): void {
  let parentHash: unknown = null;
  for (const { block } of lines.slice(from)) {
    if (parentHash !== null) block['parentHash'] = parentHash;
    else {
      const encoded = block.transactions.map((transaction, i) => encodeTransaction(transaction, `transactions[${i}]`));
      for (const [i, transaction] of block.transactions.entries()) transaction['hash'] = toHex(keccak(encoded[i]!));
      block['transactionsRoot'] = toHex(listRoot(keccak, encoded));
    }
    rehash(block);
    parentHash = block['hash'];
  }
}
