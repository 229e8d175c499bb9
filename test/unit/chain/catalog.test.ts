import { describe, expect, it } from 'vitest';
import { Catalog } from '../../../src/chain/catalog.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import { EVM_FAMILIES } from '../../../src/chain/evm/methodsGuarded.ts';
import { NONE, once } from '../../../src/chain/evm/rows.ts';

const catalog = evmCatalog();
const listed = catalog.specs().filter((spec) => spec !== catalog.unknownSpec);

/** Source: the method list of the Ethereum execution API specification (eth, debug, txpool, net). */
const SPECIFIED = `
debug_getRawHeader debug_getRawBlock debug_getRawTransaction debug_getRawReceipts debug_getRawBlockAccessList debug_getBadBlocks
debug_traceBlockByNumber debug_traceBlockByHash debug_traceTransaction
eth_getBlockByHash eth_getBlockByNumber eth_getBlockTransactionCountByHash eth_getBlockTransactionCountByNumber eth_getBlockReceipts
eth_getBlockAccessList eth_capabilities eth_chainId eth_syncing eth_coinbase eth_accounts eth_blockNumber eth_config net_version
eth_call eth_estimateGas eth_createAccessList eth_simulateV1 eth_gasPrice eth_baseFee eth_blobBaseFee eth_maxPriorityFeePerGas
eth_feeHistory eth_fillTransaction eth_newFilter eth_newBlockFilter eth_newPendingTransactionFilter eth_uninstallFilter
eth_getFilterChanges eth_getFilterLogs eth_getLogs eth_sign eth_signTransaction eth_getBalance eth_getStorageAt eth_getStorageValues
eth_getTransactionCount eth_getCode eth_getProof eth_sendTransaction eth_sendRawTransaction eth_getTransactionByHash
eth_getTransactionByBlockHashAndIndex eth_getTransactionByBlockNumberAndIndex eth_getTransactionReceipt
txpool_status txpool_content txpool_contentFrom eth_subscribe eth_unsubscribe eth_sendRawTransactionSync eth_callMany eth_getAccount
eth_pendingTransactions eth_getUncleByBlockHashAndIndex eth_getUncleCountByBlockNumber web3_sha3 web3_clientVersion net_peerCount
trace_block trace_call trace_callMany trace_filter trace_get trace_rawTransaction trace_replayBlockTransactions
trace_replayTransaction trace_transaction erigon_getHeaderByNumber ots_getApiLevel anvil_mine evm_snapshot hardhat_setBalance
`.trim().split(/\s+/);

describe('the EVM catalogue', () => {
  it.each(SPECIFIED)('lists %s', (name) => {
    expect(catalog.find(name)?.name).toBe(name);
  });

  it('has dense indices, unique names and the unknown method last', () => {
    expect(catalog.size).toBe(catalog.specs().length);
    catalog.specs().forEach((spec, index) => {
      expect(spec.index).toBe(index);
      expect(catalog.byIndex(index)).toBe(spec);
    });
    expect(new Set(catalog.specs().map((spec) => spec.name)).size).toBe(catalog.size);
    expect(catalog.unknownSpec.index).toBe(catalog.size - 1);
    expect(catalog.unknownSpec.name).toBe('other');
    expect(catalog.find('other')).toBeUndefined();
    expect(() => catalog.byIndex(catalog.size)).toThrow(RangeError);
  });

  it('never repeats what must not run twice, save the raw transaction, known by its hash', () => {
    for (const spec of catalog.specs().filter((each) => !each.idempotent)) {
      expect([spec.name, spec.hedgeable, spec.batchable]).toEqual([spec.name, false, false]);
      expect([spec.name, spec.retryable]).toEqual([spec.name, spec.name === 'eth_sendRawTransaction']);
      expect([spec.name, spec.finality]).toEqual([spec.name, 'never']);
    }
    for (const name of ['eth_sendTransaction', 'eth_newFilter', 'eth_newBlockFilter', 'eth_getFilterChanges', 'eth_subscribe',
      'eth_sendRawTransaction', 'evm_mine', 'debug_setHead', 'engine_newPayloadV4', 'eth_sendBundle']) {
      expect([name, catalog.find(name)?.idempotent]).toEqual([name, false]);
    }
  });

  it('derives its flags from what a call costs', () => {
    for (const spec of listed.filter((each) => each.idempotent)) {
      expect([spec.name, spec.retryable]).toEqual([spec.name, true]);
      if (spec.weight >= 20) expect([spec.name, spec.hedgeable]).toEqual([spec.name, false]);
      if (spec.class === 'logs' || spec.class === 'trace') expect([spec.name, spec.batchable]).toEqual([spec.name, false]);
    }
    for (const spec of catalog.specs()) expect(spec.weight).toBeGreaterThanOrEqual(1);
    expect(catalog.find('eth_blockNumber')?.weight).toBe(1);
  });

  it('names the needed capability and says never where nothing ties an answer to a block', () => {
    for (const spec of listed) {
      if (spec.name.startsWith('trace_')) expect([spec.name, spec.capability]).toEqual([spec.name, 'trace']);
      if (spec.name.startsWith('txpool_')) expect([spec.name, spec.capability]).toEqual([spec.name, 'txpool']);
      if (spec.name.startsWith('debug_') && spec.access === 'open') expect([spec.name, spec.capability]).toEqual([spec.name, 'debug']);
      if (spec.finality === 'byBlock') expect([spec.name, spec.block.kind]).not.toEqual([spec.name, 'none']);
      if (spec.class === 'node') expect([spec.name, spec.finality]).toEqual([spec.name, 'never']);
    }
    expect(catalog.find('eth_getFilterChanges')?.capability).toBe('filters');
  });

  it('guards by default whatever steers a node or uses its keys', () => {
    const namespaces = /^(admin|personal|engine|miner|clique|les)_/;
    const keys = /^eth_(sign|accounts$|requestAccounts$|sendTransaction)/;
    for (const spec of listed.filter((each) => namespaces.test(each.name) || keys.test(each.name))) {
      expect([spec.name, spec.access]).toEqual([spec.name, 'guarded']);
    }
    for (const name of ['debug_setHead', 'debug_chaindbCompact', 'debug_writeBlockProfile', 'debug_startCPUProfile', 'debug_dumpBlock']) {
      expect([name, catalog.find(name)?.access]).toEqual([name, 'guarded']);
    }
    for (const spec of listed.filter((each) => /^(anvil|evm|hardhat)_/.test(each.name))) {
      expect([spec.name, spec.access]).toEqual([spec.name, 'dev']);
    }
  });

  it.each([
    ['admin_new', 'guarded'], ['debug_setAnything', 'guarded'], ['engine_newPayloadV99', 'guarded'], ['personal_x', 'guarded'],
    ['ADMIN_peers', 'guarded'], ['Debug_SetHead', 'guarded'], ['eth_signUserOperation', 'guarded'], ['ETH_Accounts', 'guarded'],
    ['anvil_future', 'dev'], ['hardhat_', 'dev'], ['ETH_CALL', 'open'],
    ['custom_thing', undefined], ['admin', undefined], ['_admin', undefined], ['eth_new', undefined],
    ['__proto__', undefined], ['constructor', undefined], ['toString_x', undefined], ['', undefined],
  ])('gives the unlisted %s the access %s', (name, access) => {
    expect(catalog.accessOfUnlisted(name)).toBe(access);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'eth_Call', 'ETH_CALL', 'eth_call ', ' eth_call', 'eth_callx'])(
    'does not find %j', (name) => {
      expect(catalog.find(name)).toBeUndefined();
    });

  it('refuses a table that lists a method twice, in whatever case', () => {
    expect(() => new Catalog([once('a_b', 1), once('a_b', 1)], EVM_FAMILIES)).toThrow(/twice/);
    expect(() => new Catalog([once('a_b', 1), once('A_b', 1)], EVM_FAMILIES)).toThrow(/twice/);
  });

  it('cannot be changed', () => {
    const spec = catalog.find('eth_call');
    expect(Object.isFrozen(spec)).toBe(true);
    expect(catalog.find('eth_syncing')?.block).toEqual(NONE);
  });
});
