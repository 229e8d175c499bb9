import type { FamilyRules } from '../catalog.ts';
import type { Access } from '../method.ts';
import { guarded, type MethodRow } from './rows.ts';

/** Calls that use a node's keys, steer the node, or tell who it is. */
export const GUARDED_METHODS: readonly MethodRow[] = guarded([
  'eth_accounts', 'eth_requestAccounts', 'eth_sign', 'eth_signTransaction', 'eth_signTypedData', 'eth_signTypedData_v1',
  'eth_signTypedData_v3', 'eth_signTypedData_v4', 'eth_sendTransaction', 'eth_sendTransactionSync', 'eth_resend',
  'eth_submitTransaction',
  'eth_getWork', 'eth_submitWork', 'eth_submitHashrate',
  'eth_getCompilers', 'eth_compileLLL', 'eth_compileSerpent', 'eth_compileSolidity',

  'admin_addPeer', 'admin_addTrustedPeer', 'admin_banPeer', 'admin_changeLogLevel', 'admin_clearTxpool', 'admin_datadir',
  'admin_exportChain', 'admin_generateLogBloomCache', 'admin_importChain', 'admin_logsRepairCache', 'admin_nodeInfo',
  'admin_peerEvents', 'admin_peers', 'admin_prune', 'admin_removePeer', 'admin_removeTrustedPeer', 'admin_sleepBlocks',
  'admin_startHTTP', 'admin_startRPC', 'admin_startWS', 'admin_stopHTTP', 'admin_stopRPC', 'admin_stopWS', 'admin_unbanPeer',

  'personal_deriveAccount', 'personal_ecRecover', 'personal_importRawKey', 'personal_initializeWallet',
  'personal_listAccounts', 'personal_listWallets', 'personal_lockAccount', 'personal_newAccount', 'personal_openWallet',
  'personal_sendTransaction', 'personal_sign', 'personal_signTransaction', 'personal_unlockAccount', 'personal_unpair',

  'engine_exchangeCapabilities', 'engine_exchangeTransitionConfigurationV1', 'engine_forkchoiceUpdatedV1',
  'engine_forkchoiceUpdatedV2', 'engine_forkchoiceUpdatedV3', 'engine_forkchoiceUpdatedV4', 'engine_getBlobsV1',
  'engine_getBlobsV2', 'engine_getBlobsV3', 'engine_getClientVersionV1', 'engine_getInclusionListV1',
  'engine_getPayloadBodiesByHashV1', 'engine_getPayloadBodiesByHashV2', 'engine_getPayloadBodiesByRangeV1',
  'engine_getPayloadBodiesByRangeV2', 'engine_getPayloadV1', 'engine_getPayloadV2', 'engine_getPayloadV3',
  'engine_getPayloadV4', 'engine_getPayloadV5', 'engine_getPayloadV6', 'engine_newPayloadV1', 'engine_newPayloadV2',
  'engine_newPayloadV3', 'engine_newPayloadV4', 'engine_newPayloadV5',

  'miner_changeTargetGasLimit', 'miner_getHashrate', 'miner_setEtherbase', 'miner_setExtra', 'miner_setGasLimit',
  'miner_setGasPrice', 'miner_setRecommitInterval', 'miner_start', 'miner_stop',

  'clique_discard', 'clique_getSigner', 'clique_getSigners', 'clique_getSignersAtHash', 'clique_getSnapshot',
  'clique_getSnapshotAtHash', 'clique_propose', 'clique_proposals', 'clique_status',
  'les_addBalance', 'les_benchmark', 'les_clientInfo', 'les_getCheckpoint', 'les_getCheckpointContractAddress',
  'les_latestCheckpoint', 'les_priorityClientInfo', 'les_serverInfo', 'les_setClientParams', 'les_setDefaultParams',

  'erigon_nodeInfo', 'erigon_cacheCheck', 'net_enode', 'net_localAddress', 'net_services',
]);

const family = (access: Access, names: readonly string[]): [string, Access][] => names.map((name) => [name, access]);

/** What is in none of these goes by `methods.unknown`. */
export const EVM_FAMILIES: FamilyRules = {
  namespaces: new Map<string, Access>([
    ...family('guarded', ['admin', 'personal', 'engine', 'miner', 'clique', 'les', 'debug']),
    // Wallets, key stores and signers.
    ...family('guarded', ['wallet', 'account', 'signer', 'clef', 'vault']),
    // Voting, permissions and plugins of private networks; node internals; block building; long-dead namespaces.
    ...family('guarded', ['istanbul', 'ibft', 'qbft', 'raft', 'perm', 'plugins', 'parity', 'reth', 'internal']),
    ...family('guarded', ['flashbots', 'testing', 'db', 'shh', 'bzz', 'ethash']),
    ...family('dev', ['anvil', 'hardhat', 'evm', 'dev', 'ganache', 'tenderly']),
  ]),
  // Whatever signs does it with a key of the node.
  prefixes: [['eth_sign', 'guarded']],
};
