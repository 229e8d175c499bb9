import type { AnchorVerdict } from '../proof/anchor.ts';
import type { BlockLevel } from '../proof/faultList.ts';
import { damageSharePpm } from '../proof/sample.ts';
import type { Level, LevelRecord, SnapshotBody, Verdict } from '../snapshot/manifest.ts';
import type { BlocksOutcome } from './blocks.ts';
import type { ChunkOutcome } from './chunks.ts';
import type { StateResult } from './jobs.ts';

const MAX_WHY = 1500;

/** Makes one record. */
export function record(level: Level, verdict: Verdict, why: string, counts: LevelRecord['counts'] = {}): LevelRecord {
  return { level, verdict, why: why.length > MAX_WHY ? `${why.slice(0, MAX_WHY)}…` : why, counts };
}

const several = (problems: readonly string[]): string => (problems.length === 1 ? String(problems[0]) : `${problems[0]} (and ${problems.length - 1} more)`);

/** L0: the bytes are those that were captured and signed. @param trust why the manifest is not trusted; null when it is */
export function levelBytes({ tree }: Pick<SnapshotBody, 'tree'>, { root, leafCount, bytes, problems, resumedRuns }: ChunkOutcome, trust: string | null): LevelRecord {
  const counts = { leaves: leafCount, bytes, resumedRuns };
  const all = trust === null ? problems : [trust, ...problems];
  if (all.length > 0) return record('L0', 'failed', several(all), counts);
  if (root !== tree.root) return record('L0', 'failed', `snapshot.tree.root: is ${tree.root}, the files give ${root}`, counts);
  return record('L0', 'proven', `${leafCount} leaves hash to the signed root`, counts);
}

/** L1: the files are those of such a client, without secrets. */
export function levelLayout(problems: readonly string[], fileCount: number): LevelRecord {
  const counts = { files: fileCount };
  return problems.length > 0 ? record('L1', 'failed', several(problems), counts) : record('L1', 'proven', `${fileCount} files as the client lays them out, none with a secret`, counts);
}

const faultOf = (level: BlockLevel, outcome: BlocksOutcome, counts: LevelRecord['counts']): LevelRecord | null => {
  const faults = outcome.faults.filter((fault) => fault.level === level);
  const worst = faults.find(({ verdict }) => verdict === 'failed') ?? faults.find(({ verdict }) => verdict === 'unsupported') ?? faults[0];
  if (worst === undefined) return null;
  const others = faults.length === 1 ? '' : ` (and ${faults.length - 1} more)`;
  return record(level, worst.verdict, `${worst.where}: ${worst.message}${others}`, counts);
};

/** L3: the headers hash to what they say, stand behind each other up to the head, and are tied to the chain that others know. */
export function levelHeaders({ head, chain }: Pick<SnapshotBody, 'head' | 'chain'>, outcome: BlocksOutcome, anchor: AnchorVerdict): LevelRecord {
  const { first, last, counts: { headers } } = outcome;
  const own = outcome.wanted.find(({ number }) => number === head.number);
  const genesis = outcome.wanted.find(({ number }) => number === 0);
  const counts = { headers, lowest: first?.number ?? 0, ...(anchor.kind === 'anchored' ? { anchor: anchor.number, blocksAboveAnchor: Math.max(0, head.number - anchor.number) } : {}) };
  const fault = faultOf('L3', outcome, counts);
  if (fault !== null) return fault;
  if (own === undefined || last === null || last.number !== head.number) return record('L3', 'failed', `snapshot.head.number: ${head.number} is not the last captured block`, counts);
  for (const [field, value] of [['hash', own.hash], ['stateRoot', own.stateRoot]] as const) {
    if (head[field] !== value) return record('L3', 'failed', `snapshot.head.${field}: is ${head[field]}, but block ${head.number} has ${value}`, counts);
  }
  if (head.timestampS !== own.timestampS) return record('L3', 'failed', `snapshot.head.timestampS: is ${head.timestampS}, but block ${head.number} has ${own.timestampS}`, counts);
  if (genesis !== undefined && genesis.hash !== chain.genesisHash) return record('L3', 'failed', `snapshot.chain.genesisHash: is ${chain.genesisHash}, but block 0 is ${genesis.hash}`, counts);
  if (anchor.kind === 'contradicted') return record('L3', 'failed', `${anchor.where}: ${anchor.message}`, counts);
  if (anchor.kind === 'none') return record('L3', 'notProvable', `the headers fit each other but are not anchored: ${anchor.why}`, counts);
  return record('L3', 'proven', `${headers} headers up to ${head.number}, anchored at ${anchor.number} by ${anchor.by}`, counts);
}

/** What a level on top of the headers comes to when those are not proven: it says nothing then. */
const onHeaders = (level: Level, headers: LevelRecord, then: () => LevelRecord): LevelRecord =>
  headers.verdict === 'proven' ? then() : record(level, headers.verdict === 'notRun' ? 'notRun' : 'notProvable', `the headers it rests on are ${headers.verdict}`);

/** L4: transactions, withdrawals and uncles are those that the headers commit to. */
export function levelBodies(outcome: BlocksOutcome, headers: LevelRecord): LevelRecord {
  const { bodies, transactions, withdrawals, uncles, requestsProven, requestsNotProvable } = outcome.counts;
  const counts = { bodies, transactions, withdrawals, uncles, requestsProven, requestsNotProvable };
  return faultOf('L4', outcome, counts) ?? onHeaders('L4', headers, () => {
    if (bodies === 0) return record('L4', 'notRun', 'no body was captured', counts);
    const requests = requestsNotProvable === 0 ? '' : `; the requests of ${requestsNotProvable} are not provable and not counted`;
    return record('L4', 'proven', `${bodies} bodies with ${transactions} transactions and ${withdrawals} withdrawals rebuilt${requests}`, counts);
  });
}

/** L5: receipts and logs are those that the headers commit to. */
export function levelReceipts(outcome: BlocksOutcome, headers: LevelRecord): LevelRecord {
  const { bodies, receiptBlocks, receipts, logs, logsCompared } = outcome.counts;
  const counts = { receiptBlocks, receipts, logs, logsCompared };
  return faultOf('L5', outcome, counts) ?? onHeaders('L5', headers, () => {
    if (receiptBlocks === 0) return record('L5', 'notRun', 'no receipts were captured', counts);
    const others = receiptBlocks < bodies ? `; those of ${bodies - receiptBlocks} blocks were not captured` : '';
    return record('L5', 'proven', `${receipts} receipts with ${logs} logs rebuilt, ${logsCompared} of them compared with eth_getLogs${others}`, counts);
  });
}

/** L6: samples of the state are what the head's stateRoot commits to. */
export function levelState(result: StateResult | null, headers: LevelRecord): LevelRecord {
  if (result === null) return record('L6', 'notRun', 'no state sample was captured');
  const { accounts, absent, slots, flat } = result.counts;
  const samples = accounts + absent + slots;
  const counts = { accounts, absent, slots, flat, samples, damageSharePpm: damageSharePpm(samples) };
  const worst = result.faults.find(({ verdict }) => verdict === 'failed') ?? result.faults[0];
  if (worst !== undefined) return record('L6', worst.verdict, `${worst.where}: ${worst.message}${result.faults.length > 1 ? ` (and ${result.faults.length - 1} more)` : ''}`, counts);
  return onHeaders('L6', headers, () => {
    if (samples === 0) return record('L6', 'notRun', 'no state sample was captured', counts);
    return record('L6', 'proven', `${samples} samples hold; a damage of ${counts.damageSharePpm} in a million entries would have shown with 95 %`, counts);
  });
}
