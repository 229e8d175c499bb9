import { block, guarded, hash, lookUp, type MethodRow, NONE, number, read, state, transaction } from './rows.ts';

const RAW = { capability: 'debug' } as const;
/** The block is not to be read from the params or the answer. */
const UNTOLD = { finality: 'never' } as const;
const DEBUG = { class: 'trace', capability: 'debug' } as const;

/** `debug_` methods that only read. */
export const DEBUG_READS: readonly MethodRow[] = [
  read('debug_getRawHeader', block(0), 2, RAW),
  read('debug_getRawBlock', block(0), 4, RAW),
  read('debug_getRawReceipts', block(0), 8, RAW),
  read('debug_getRawTransactions', block(0), 8, RAW),
  read('debug_getRawBlockAccessList', block(0), 8, RAW),
  lookUp('debug_getRawTransaction', transaction(0), 2, { ...RAW, ...UNTOLD }),
  read('debug_getBadBlocks', NONE, 10, { class: 'node', capability: 'debug' }),
  read('debug_chainConfig', NONE, 1, { class: 'node', capability: 'debug' }),
  read('debug_seedHash', number(0), 1, RAW),
  read('debug_preimage', NONE, 2, { class: 'node', capability: 'debug' }),
  read('debug_printBlock', number(0), 4, RAW),
  read('debug_codeByHash', state(1), 2, RAW),

  read('debug_traceTransaction', transaction(0), 20, { ...DEBUG, ...UNTOLD }),
  read('debug_traceCall', state(1), 20, { ...DEBUG, addressIndex: 0 }),
  read('debug_traceCallMany', state(1), 50, DEBUG),
  read('debug_traceBlock', NONE, 50, DEBUG),
  read('debug_traceBlockByNumber', number(0), 50, DEBUG),
  read('debug_traceBlockByHash', hash(0), 50, DEBUG),
  read('debug_traceBadBlock', NONE, 50, DEBUG),
  read('debug_intermediateRoots', hash(0), 50, DEBUG),
  read('debug_executionWitness', block(0), 60, DEBUG),
  read('debug_executionWitnessByBlockHash', hash(0), 60, DEBUG),
  read('debug_stateRootWithUpdates', state(1), 60, DEBUG),

  read('debug_storageRangeAt', block(0), 10, { ...DEBUG, addressIndex: 2 }),
  read('debug_accountRange', block(0), 20, DEBUG),
  read('debug_accountAt', block(0), 10, { ...DEBUG, addressIndex: 2 }),
  read('debug_accountInfoAt', block(0), 10, { ...DEBUG, addressIndex: 2 }),
  // The second block, where it is given, is the newer one.
  read('debug_getModifiedAccountsByNumber', number(0), 20, { ...DEBUG, ...UNTOLD }),
  read('debug_getModifiedAccountsByHash', hash(0), 20, { ...DEBUG, ...UNTOLD }),
  read('debug_getAccessibleState', NONE, 20, DEBUG),
];

/** `debug_` methods that change the node, write files on it, show its insides, or read without a limit. */
export const DEBUG_GUARDED: readonly MethodRow[] = guarded([
  'debug_setHead', 'debug_resetHead', 'debug_setFork', 'debug_sync', 'debug_replayBadBlock', 'debug_clearTxpool',
  'debug_chaindbCompact', 'debug_chaindbProperty', 'debug_dbGet', 'debug_dbAncient', 'debug_dbAncients',
  'debug_deleteChainSlice', 'debug_insertReceipts', 'debug_migrateReceipts', 'debug_getConfigValue',
  'debug_setTrieFlushInterval', 'debug_getTrieFlushInterval',
  'debug_freeOSMemory', 'debug_gcStats', 'debug_memStats', 'debug_stacks',
  'debug_setGCPercent', 'debug_setMemoryLimit', 'debug_setBlockProfileRate', 'debug_setMutexProfileFraction',
  'debug_verbosity', 'debug_vmodule', 'debug_backtraceAt', 'debug_metrics',
  'debug_blockProfile', 'debug_cpuProfile', 'debug_mutexProfile', 'debug_goTrace',
  'debug_startCPUProfile', 'debug_stopCPUProfile', 'debug_startGoTrace', 'debug_stopGoTrace',
  'debug_writeBlockProfile', 'debug_writeMemProfile', 'debug_writeMutexProfile',
  'debug_standardTraceBlockToFile', 'debug_standardTraceBadBlockToFile', 'debug_traceBlockFromFile',
  'debug_traceChain', 'debug_dumpBlock', 'debug_batchSendRawTransaction', 'debug_subscribe', 'debug_unsubscribe',
]);
