import { type MethodRow, NONE, once, read } from './rows.ts';

const OF_NODE = { class: 'node' } as const;
const POOL = { class: 'node', capability: 'txpool' } as const;
const FILTER = { class: 'filter', capability: 'filters' } as const;
const SUBSCRIPTION = { class: 'filter' } as const;
const WRITE = { class: 'write' } as const;

/** What a node says about itself or holds for itself: its peers, its pool, its filters. */
export const NODE_METHODS: readonly MethodRow[] = [
  read('eth_syncing', NONE, 1, OF_NODE),
  read('eth_capabilities', NONE, 1, OF_NODE),
  read('eth_protocolVersion', NONE, 1, OF_NODE),
  read('eth_coinbase', NONE, 1, OF_NODE),
  read('eth_mining', NONE, 1, OF_NODE),
  read('eth_hashrate', NONE, 1, OF_NODE),
  read('net_listening', NONE, 1, OF_NODE),
  read('net_peerCount', NONE, 1, OF_NODE),
  read('web3_clientVersion', NONE, 1, OF_NODE),
  read('rpc_modules', NONE, 1, OF_NODE),

  read('eth_pendingTransactions', NONE, 10, POOL),
  read('parity_pendingTransactions', NONE, 10, POOL),
  read('parity_nextNonce', NONE, 2, { ...POOL, addressIndex: 0 }),
  read('txpool_status', NONE, 1, POOL),
  read('txpool_content', NONE, 20, POOL),
  read('txpool_contentFrom', NONE, 4, { ...POOL, addressIndex: 0 }),
  read('txpool_inspect', NONE, 20, POOL),

  once('eth_newFilter', 2, FILTER),
  once('eth_newBlockFilter', 2, FILTER),
  once('eth_newPendingTransactionFilter', 2, FILTER),
  // Reading changes empties the filter, so asking twice loses what the first answer held.
  once('eth_getFilterChanges', 2, FILTER),
  once('eth_getFilterLogs', 6, FILTER),
  once('eth_uninstallFilter', 1, FILTER),
  once('eth_subscribe', 2, SUBSCRIPTION),
  once('eth_unsubscribe', 1, SUBSCRIPTION),
];

/** What puts a transaction on its way. */
export const WRITE_METHODS: readonly MethodRow[] = [
  // Known by its hash: a second node, or the same one again, ends in the same transaction.
  once('eth_sendRawTransaction', 4, { ...WRITE, retryable: true }),
  once('eth_sendRawTransactionSync', 4, WRITE),
  once('eth_sendRawTransactionConditional', 4, WRITE),
  once('eth_sendPrivateTransaction', 4, WRITE),
  once('eth_sendPrivateRawTransaction', 4, WRITE),
  once('eth_cancelPrivateTransaction', 4, WRITE),
  once('eth_sendBundle', 4, WRITE),
  once('eth_cancelBundle', 4, WRITE),
  once('mev_sendBundle', 4, WRITE),
  read('eth_callBundle', NONE, 10),
  read('mev_simBundle', NONE, 10),
];
