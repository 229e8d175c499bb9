import type { MethodSpec } from '../method.ts';
import { CHAIN_TEXTS, LIMIT_TEXTS, NODE_TEXTS } from './texts.ts';
import type { VerdictName } from './verdicts.ts';

/** One row: all conditions that are set must hold. */
export interface ErrorRule {
  /** Error codes it is about; null = any. */
  readonly codes: ReadonlySet<number> | null;
  /** An error code it is not about; 0 = none. */
  readonly except: number;
  /** What the message must match; null = any. */
  readonly text: RegExp | null;
  /** Which calls it is about; null = any. */
  readonly only: ((spec: MethodSpec) => boolean) | null;
  readonly verdict: VerdictName;
  /** Who says so. */
  readonly source: string;
}

const rule = (
  verdict: VerdictName,
  when: { codes?: readonly number[]; except?: number; text?: RegExp; only?: (spec: MethodSpec) => boolean },
  source: string,
): ErrorRule => ({
  codes: when.codes === undefined ? null : new Set(when.codes),
  except: when.except ?? 0,
  text: when.text ?? null,
  only: when.only ?? null,
  verdict,
  source,
});

const isWrite = (spec: MethodSpec): boolean => spec.class === 'write';
/** A light look-up runs none of the caller's code: if it breaks inside, the node is broken. */
const isLookUp = (spec: MethodSpec): boolean => spec.weight <= 2 && spec.class !== 'write' && spec.class !== 'trace';
/** The caller's own tracer script can throw any text there, so text alone says nothing about the node. */
const runsNoScript = (spec: MethodSpec): boolean => spec.capability !== 'debug';
/** Texts about the node or our account with it: not believed where the caller can have written them. */
const aboutNode = (text: RegExp) => ({ text, except: -32602, only: runsNoScript });

/**
 * What nodes and providers answer, first match wins. The order matters:
 * 1. what carries text of the caller's choosing (a revert reason, an unknown method's name, a bad argument) is settled
 *    before any rule that reads texts, so that nobody can make a node look ill by what he sends;
 * 2. the mempool's and the EVM's verdicts come before limits, limits before missing data, that before the node's health;
 * 3. bare codes come last, since clients use -32000…-32009 for different things.
 */
export const ERROR_RULES: readonly ErrorRule[] = [
  rule('chain', { codes: [3] }, 'Geth, Reth, Nethermind, anvil: revert with data'),
  rule('chain', { text: CHAIN_TEXTS.revert }, 'Geth, Erigon, Besu, hardhat, ganache: revert by text'),
  rule('unsupported', { codes: [-32601] }, 'JSON-RPC 2.0; the name of the method may be in the text'),
  rule('client', { text: CHAIN_TEXTS.badArgument }, 'Geth, Erigon: argument decoding'),

  rule('chain', { text: CHAIN_TEXTS.mempool }, 'Geth, Reth, Erigon, Besu, Nethermind: transaction pool'),
  rule('nodeDeclined', { text: CHAIN_TEXTS.poolFull }, 'Geth, Reth, Nethermind: this pool is full, another may not be'),
  rule('chain', { text: CHAIN_TEXTS.transaction }, 'Geth core/error.go, Reth, Besu: transaction validity'),
  rule('client', { text: CHAIN_TEXTS.undecodable, only: isWrite }, 'Geth, Reth, anvil: raw transaction decoding'),
  rule('chain', { text: CHAIN_TEXTS.senderLimit }, 'OP sequencer: a limit of the sender, not of the node'),
  rule('nodeDeclined', { text: NODE_TEXTS.executionTimeout }, 'Geth, Reth, Nethermind: the call ran too long'),
  rule('chain', { text: CHAIN_TEXTS.evm }, 'Geth core/vm/errors.go, anvil, Nethermind: the EVM halted'),

  rule('tooLarge', { text: LIMIT_TEXTS.range }, 'Geth, Reth, Erigon, Besu and providers: log range or answer size'),
  rule('auth', aboutNode(LIMIT_TEXTS.billing), 'providers: plan or monthly quota used up'),
  rule('throttled', { codes: [429, -32029, -32605] }, 'providers: HTTP 429 carried in the body'),
  rule('throttled', aboutNode(LIMIT_TEXTS.rate), 'providers: requests per second or day'),
  rule('auth', aboutNode(LIMIT_TEXTS.auth), 'providers: key, origin or address not accepted'),

  rule('client', { text: CHAIN_TEXTS.callersBlock }, 'Geth: a filter or range that no node can answer'),
  rule('missingData', { codes: [4444, -39001, -32014] }, 'EIP-4444, Nethermind, Besu, gateways: no such data here'),
  rule('missingData', { text: NODE_TEXTS.missing }, 'Geth, Reth, Erigon, Nethermind, Besu, anvil, Avalanche'),
  rule('unsupported', { text: NODE_TEXTS.unsupported }, 'Geth, Besu, Nethermind and providers: method or module off'),
  rule('nodeIll', aboutNode(NODE_TEXTS.ill), 'Geth, Erigon, Reth, Besu: storage, sync or panic'),
  rule('nodeDeclined', aboutNode(NODE_TEXTS.overloaded), 'gateways and providers: busy'),

  rule('chain', { codes: [-32001, -32002, -32003, -32004, -32006, -32007, -32009], only: isWrite }, 'Besu: transaction validity'),
  rule('nodeIll', { codes: [-32008] }, 'Besu: initial sync'),
  rule('chain', { codes: [-32003, -32015, 4, 4445] }, 'EIP-1474 transaction rejected; VM error; wait for a receipt over; before the fork'),
  rule('chain', { codes: [-38010, -38011, -38012, -38013, -38014, -38015, -38024, -38025] }, 'eth_simulateV1: validity'),
  rule('client', { codes: [-38020, -38021, -38022, -38023, -38026] }, 'eth_simulateV1: input'),
  rule('missingData', { codes: [-32001] }, 'EIP-1474 resource not found: anvil, Reth'),
  rule('nodeDeclined', { codes: [-32002, -32016, -32017, -32006] }, 'Geth request timed out; Nethermind timeouts'),
  rule('unsupported', { codes: [-32004] }, 'EIP-1474 method not supported'),
  rule('throttled', { codes: [-32005], only: (spec) => spec.class !== 'logs' }, 'EIP-1474 limit exceeded'),
  rule('tooLarge', { codes: [-32005, -32012] }, 'EIP-1474 limit exceeded on a log query; gateways'),
  rule('client', { codes: [-32602] }, 'JSON-RPC 2.0 invalid params'),
  rule('nodeIll', { codes: [-32603], only: isLookUp }, 'JSON-RPC 2.0 internal error on a light look-up'),
];
