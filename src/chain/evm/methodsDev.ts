import { type MethodRow, once } from './rows.ts';

const dev = (prefix: string, names: readonly string[]): readonly MethodRow[] =>
  names.map((name) => once(prefix + name, 2, { class: 'dev', access: 'dev' }));

/** Names that anvil and hardhat share under their own prefixes. */
const SHARED: readonly string[] = [
  'autoImpersonateAccount', 'dropAllTransactions', 'dropTransaction', 'dumpState', 'getAutomine', 'impersonateAccount',
  'loadState', 'metadata', 'mine', 'reset', 'setBalance', 'setCode', 'setCoinbase', 'setLoggingEnabled',
  'setMinGasPrice', 'setNextBlockBaseFeePerGas', 'setNonce', 'setStorageAt', 'stopImpersonatingAccount',
];

/** What steers a development node: time, blocks, balances, foreign accounts. */
export const DEV_METHODS: readonly MethodRow[] = [
  ...dev('anvil_', SHARED),
  ...dev('anvil_', [
    'addBalance', 'addCapability', 'dealERC20', 'enableTraces', 'getBlobByHash', 'getBlobsByTransactionHash',
    'getBlobSidecarsByBlockId', 'getGenesisTime', 'getIntervalMining', 'impersonateSignature', 'increaseTime',
    'mine_detailed', 'nodeInfo', 'removeBlockTimestampInterval', 'removePoolTransactions', 'reorg', 'revert', 'rollback',
    'setAutomine', 'setBlockGasLimit', 'setBlockTimestampInterval', 'setChainId', 'setERC20Allowance', 'setExecutor',
    'setIntervalMining', 'setNextBlockTimestamp', 'setRpcUrl', 'setTime', 'snapshot',
  ]),
  ...dev('hardhat_', SHARED),
  ...dev('hardhat_', ['addCompilationResult', 'getStackTraceFailuresCount', 'intervalMine', 'setPrevRandao']),
  ...dev('evm_', [
    'addAccount', 'increaseTime', 'mine', 'mine_detailed', 'removeAccount', 'revert', 'setAccountBalance', 'setAccountCode',
    'setAccountNonce', 'setAccountStorageAt', 'setAutomine', 'setBlockGasLimit', 'setIntervalMining',
    'setNextBlockTimestamp', 'setTime', 'snapshot',
  ]),
  ...dev('eth_', ['sendUnsignedTransaction']),
];
