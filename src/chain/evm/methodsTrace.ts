import { block, hash, lookUp, type MethodRow, NONE, number, range, read, state, transaction } from './rows.ts';

/** The block is the transaction's, and the answer does not tell it. */
const UNTOLD = { finality: 'never' } as const;
const TRACE = { class: 'trace', capability: 'trace' } as const;

/** The `trace_` family as OpenEthereum defined it, and what Reth and Nethermind add. */
export const TRACE_METHODS: readonly MethodRow[] = [
  read('trace_block', block(0), 20, TRACE),
  read('trace_blockOpcodeGas', block(0), 50, TRACE),
  read('trace_call', state(2), 20, { ...TRACE, addressIndex: 0 }),
  read('trace_callMany', state(1), 50, TRACE),
  read('trace_simpleCall', state(1), 20, { ...TRACE, addressIndex: 0 }),
  read('trace_filter', range(0), 40, TRACE),
  read('trace_get', transaction(0), 20, TRACE),
  read('trace_rawTransaction', NONE, 20, TRACE),
  read('trace_replayBlockTransactions', block(0), 50, TRACE),
  read('trace_replayTransaction', transaction(0), 20, { ...TRACE, ...UNTOLD }),
  lookUp('trace_transaction', transaction(0), 20, TRACE),
  read('trace_transactionOpcodeGas', transaction(0), 20, { ...TRACE, ...UNTOLD }),
];

/** `erigon_` and `overlay_` (Erigon), `ots_` (Otterscan), and single reads of other clients' own namespaces. */
export const EXPLORER_METHODS: readonly MethodRow[] = [
  read('erigon_blockNumber', NONE, 1, { finality: 'head' }),
  read('erigon_forks', NONE, 1, { class: 'node' }),
  lookUp('erigon_getHeaderByHash', hash(0), 2),
  lookUp('erigon_getHeaderByNumber', number(0), 2),
  // The nearest block to a time that may still come.
  read('erigon_getBlockByTimestamp', NONE, 4, { finality: 'head' }),
  read('erigon_getBalanceChangesInBlock', block(0), 10),
  read('erigon_getBlockReceiptsByBlockHash', hash(0), 8),
  read('erigon_getLogs', range(0), 6, { class: 'logs', addressIndex: 0 }),
  read('erigon_getLogsByHash', hash(0), 6, { class: 'logs' }),
  read('erigon_getLogsByNumber', number(0), 6, { class: 'logs' }),
  read('erigon_getLatestLogs', range(0), 6, { class: 'logs', addressIndex: 0, finality: 'never' }),
  read('erigon_issuance', number(0), 4),
  read('erigon_watchTheBurn', number(0), 4),
  read('overlay_callConstructor', NONE, 20, TRACE),
  read('overlay_getLogs', range(0), 40, TRACE),

  read('ots_getApiLevel', NONE, 1, { class: 'node' }),
  read('ots_hasCode', state(1), 2, { addressIndex: 0 }),
  lookUp('ots_getHeaderByNumber', number(0), 2),
  lookUp('ots_getBlockDetails', number(0), 4),
  lookUp('ots_getBlockDetailsByHash', hash(0), 4),
  lookUp('ots_getBlockTransactions', number(0), 8),
  read('ots_getInternalOperations', transaction(0), 20, { ...TRACE, ...UNTOLD }),
  read('ots_getTransactionError', transaction(0), 20, { ...TRACE, ...UNTOLD }),
  read('ots_traceTransaction', transaction(0), 20, { ...TRACE, ...UNTOLD }),
  read('ots_getTransactionBySenderAndNonce', NONE, 10, { finality: 'head', addressIndex: 0 }),
  read('ots_getContractCreator', NONE, 10, { finality: 'head', addressIndex: 0 }),
  // The pages of a search reach to the head even where a block is named: block 0 means "from the newest".
  read('ots_searchTransactionsBefore', NONE, 40, { ...TRACE, finality: 'head', addressIndex: 0 }),
  read('ots_searchTransactionsAfter', NONE, 40, { ...TRACE, finality: 'head', addressIndex: 0 }),

  lookUp('parity_getBlockReceipts', block(0), 8),
  read('reth_getBalanceChangesInBlock', block(0), 10),
];
