import { block, hash, lookUp, type MethodRow, NONE, number, range, read, state, transaction } from './rows.ts';

const HEAD = { finality: 'head' } as const;
const STATIC = { finality: 'static' } as const;
/** The block is the transaction's, and the answer does not tell it. */
const UNTOLD = { finality: 'never' } as const;
const OF_ADDRESS = { addressIndex: 0 } as const;

/** Reads of the `eth_`, `net_` and `web3_` namespaces that the chain answers, not the node. */
export const ETH_READS: readonly MethodRow[] = [
  read('eth_chainId', NONE, 1, STATIC),
  // What a node says of its network; only the chain id is part of the chain.
  read('eth_networkId', NONE, 1),
  read('net_version', NONE, 1),
  read('web3_sha3', NONE, 1, STATIC),

  // Answered from the trusted head.
  read('eth_blockNumber', NONE, 1),
  read('eth_gasPrice', NONE, 1, HEAD),
  read('eth_maxPriorityFeePerGas', NONE, 1, HEAD),
  read('eth_baseFee', NONE, 1, HEAD),
  read('eth_blobBaseFee', NONE, 1, HEAD),
  read('eth_config', NONE, 1, HEAD),
  read('eth_feeHistory', number(1), 2),

  lookUp('eth_getBlockByHash', hash(0), 2),
  lookUp('eth_getBlockByNumber', number(0), 2),
  lookUp('eth_getHeaderByHash', hash(0), 2),
  lookUp('eth_getHeaderByNumber', number(0), 2),
  lookUp('eth_getBlockTransactionCountByHash', hash(0), 2),
  lookUp('eth_getBlockTransactionCountByNumber', number(0), 2),
  lookUp('eth_getBlockReceipts', block(0), 8),
  lookUp('eth_getBlockAccessList', block(0), 8),
  lookUp('eth_getBlockAccessListRaw', block(0), 8),
  lookUp('eth_getBlockAccessListByBlockHash', hash(0), 8),
  lookUp('eth_getBlockAccessListByBlockNumber', number(0), 8),
  read('eth_getUncleByBlockHashAndIndex', hash(0), 2),
  read('eth_getUncleByBlockNumberAndIndex', number(0), 2),
  lookUp('eth_getUncleCountByBlockHash', hash(0), 2),
  lookUp('eth_getUncleCountByBlockNumber', number(0), 2),

  lookUp('eth_getTransactionByHash', transaction(0), 2),
  lookUp('eth_getTransactionReceipt', transaction(0), 2),
  lookUp('eth_getRawTransactionByHash', transaction(0), 2, UNTOLD),
  lookUp('eth_getTransactionByBlockHashAndIndex', hash(0), 2),
  lookUp('eth_getTransactionByBlockNumberAndIndex', number(0), 2),
  lookUp('eth_getRawTransactionByBlockHashAndIndex', hash(0), 2),
  lookUp('eth_getRawTransactionByBlockNumberAndIndex', number(0), 2),
  lookUp('eth_getTransactionBySenderAndNonce', NONE, 4, { finality: 'byAnswer', ...OF_ADDRESS }),

  read('eth_getBalance', state(1), 2, OF_ADDRESS),
  read('eth_getCode', state(1), 2, OF_ADDRESS),
  read('eth_getTransactionCount', state(1), 2, OF_ADDRESS),
  read('eth_getStorageAt', state(2), 2, OF_ADDRESS),
  read('eth_getStorageValues', state(1), 4),
  read('eth_getAccount', state(1), 2, OF_ADDRESS),
  read('eth_getAccountInfo', state(1), 2, OF_ADDRESS),
  read('eth_getProof', state(2), 4, OF_ADDRESS),
  read('eth_getMultiProof', state(1), 8),

  read('eth_call', state(1), 3, OF_ADDRESS),
  read('eth_estimateGas', state(1), 4, OF_ADDRESS),
  read('eth_createAccessList', state(1), 6, OF_ADDRESS),
  read('eth_callMany', state(1), 10),
  read('eth_simulateV1', state(1), 10),
  // Fills the nonce from the node's own pool: another node may say otherwise, the next call too.
  read('eth_fillTransaction', NONE, 4, OF_ADDRESS),

  read('eth_getLogs', range(0), 6, { class: 'logs', ...OF_ADDRESS }),
];
