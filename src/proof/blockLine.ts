import { checkBody } from './body.ts';
import { type Keccak, ProofFault } from './fault.ts';
import type { BlockLevel, FaultList } from './faultList.ts';
import { type Captured, checkHeader, type Header } from './header.ts';
import { checkReceipts, compareLogs, type ProvenLog } from './receipts.ts';
import { checkRequests, type Sha256 } from './requests.ts';
import { checkNoRequests, type RequestSources } from './requestSources.ts';

/** The hashes that proofs are made of. */
export interface Hashes {
  readonly keccak: Keccak;
  readonly sha256: Sha256;
}

/** A block as it was captured: all but the header may be left out. */
export interface BlockLine {
  /** Answer of `eth_getBlockByNumber`; with whole transactions where the body is to be proven. */
  readonly block: Captured;
  /** Headers of uncles. */
  readonly uncles?: unknown;
  /** Answer of `eth_getBlockReceipts`. */
  readonly receipts?: unknown;
  /** Answer of `eth_getLogs` for the block. */
  readonly logs?: unknown;
  /** Execution requests, as the engine API gives them. */
  readonly requests?: unknown;
  /** Instead of the requests: what shows that there are none. */
  readonly requestSources?: RequestSources;
}

const COUNTS = ['headers', 'bodies', 'transactions', 'withdrawals', 'uncles', 'requestsProven', 'requestsNotProvable', 'receiptBlocks', 'receipts', 'logs', 'logsCompared'] as const;

/** How much was proven. */
export type BlockCounts = Record<(typeof COUNTS)[number], number>;

/** Counts at zero. */
export function noCounts(): BlockCounts {
  return Object.fromEntries(COUNTS.map((name) => [name, 0])) as BlockCounts;
}

/** Number of a block, or what stands in its place. */
const nameOf = ({ number }: Captured): string =>
  typeof number === 'string' && /^0x[0-9a-f]{1,13}$/i.test(number) ? String(Number(number)) : (JSON.stringify(number) ?? 'without a number').slice(0, 80);

/** Whether a block was captured with its body. Without one it has no transactions, or their hashes only; what is neither is a damaged body. */
const hasBody = ({ transactions }: Captured): boolean =>
  transactions !== undefined && !(Array.isArray(transactions) && transactions.length > 0 && transactions.every((item) => typeof item === 'string'));

/** What blocks are proven with. */
export interface ProverParts {
  readonly hashes: Hashes;
  readonly faults: FaultList;
  /** First block whose receipts hold a status. */
  readonly statusFromBlock: number;
}

/** Proves one block after the other and keeps count. */
export class BlockProver {
  readonly counts = noCounts();
  readonly #hashes: Hashes;
  readonly #faults: FaultList;
  readonly #statusFromBlock: number;

  constructor({ hashes, faults, statusFromBlock }: ProverParts) {
    this.#hashes = hashes;
    this.#faults = faults;
    this.#statusFromBlock = statusFromBlock;
  }

  /** Proves what was captured of a block. @returns its header, or null when that is not good */
  prove(line: BlockLine): Header | null {
    const { keccak } = this.#hashes;
    const { block } = line;
    const header = this.#try('L3', block, () => checkHeader(keccak, block));
    if (header === null) return null;
    this.counts.headers++;
    if (hasBody(block)) this.#body(line);
    const logs = line.receipts === undefined ? null : this.#receipts(line);
    if (hasBody(block)) this.#requests(line, logs);
    return header;
  }

  #body({ block, uncles }: BlockLine): void {
    const body = this.#try('L4', block, () => checkBody(this.#hashes.keccak, block, uncles));
    if (body === null) return;
    this.counts.bodies++;
    this.counts.transactions += body.transactions;
    this.counts.withdrawals += body.withdrawals;
    this.counts.uncles += body.uncles;
  }

  /** Counts what cannot be shown instead of holding it against the block. */
  #requests({ block, requests, requestSources }: BlockLine, logs: readonly ProvenLog[] | null): void {
    if (block['requestsHash'] === undefined || block['requestsHash'] === null) return;
    try {
      if (requests === undefined && requestSources !== undefined && logs !== null) checkNoRequests(this.#hashes.keccak, block, logs, requestSources);
      else checkRequests(this.#hashes.sha256, block, requests);
      this.counts.requestsProven++;
    } catch (error) {
      if (error instanceof ProofFault && error.verdict === 'notProvable') this.counts.requestsNotProvable++;
      else this.#add('L4', block, error);
    }
  }

  /** @returns the logs that the receipts prove; null when they do not fit */
  #receipts({ block, receipts, logs }: BlockLine): readonly ProvenLog[] | null {
    const proven = this.#try('L5', block, () => checkReceipts(this.#hashes.keccak, block, receipts, this.#statusFromBlock));
    if (proven === null) return null;
    this.counts.receiptBlocks++;
    this.counts.receipts += Array.isArray(receipts) ? receipts.length : 0;
    this.counts.logs += proven.length;
    if (logs === undefined) return proven;
    this.#try('L5', block, () => compareLogs(proven, logs, block));
    this.counts.logsCompared += proven.length;
    return proven;
  }

  #try<T>(level: BlockLevel, block: Captured, check: () => T): T | null {
    try {
      return check();
    } catch (error) {
      this.#add(level, block, error);
      return null;
    }
  }

  #add(level: BlockLevel, block: Captured, error: unknown): void {
    if (!(error instanceof ProofFault)) throw error;
    this.#faults.add({ level, verdict: error.verdict, where: `block ${nameOf(block)}: ${error.field}`, message: error.message });
  }
}
