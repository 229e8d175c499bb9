import { JsonRpcProvider } from 'ethers';
import { createPublicClient, http, parseAbi } from 'viem';
import type { PublicClient } from 'viem';
import { foundry } from 'viem/chains';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cast, findCast } from '../help/cast.ts';
import { Signer, rpc } from '../help/client.ts';
import { STORE_ABI, STORE_INIT_CODE, STORED_TOPIC } from '../help/contract.ts';
import { type TestDevnet, testDevnet } from '../help/devnet.ts';
import { serve, type TestGateway, testGateway } from '../help/gateway.ts';

const TO = '0x0000000000000000000000000000000000000001';
const NOBODY = '0x00000000000000000000000000000000000000aa';
const NOWHERE = `0x${'ab'.repeat(32)}`;
const abi = parseAbi(STORE_ABI);

let devnet: TestDevnet;
let gateway: TestGateway;
let node: string;
/** What there is to read. */
const seen = { account: '0x', store: '0x' as `0x${string}`, set: '0x', block: '0x', number: 0 };

beforeAll(async () => {
  devnet = await testDevnet();
  const signer = new Signer(0);
  const send = async (over: object): Promise<string> => {
    const hash = await rpc<string>(devnet.url(0), 'eth_sendRawTransaction', [await signer.sign(2, over)]);
    await devnet.mine(1);
    return hash;
  };
  const deployed = await send({ to: null, data: STORE_INIT_CODE, gasLimit: 300_000n, value: 0n });
  await devnet.settled();
  seen.store = (await rpc<{ contractAddress: `0x${string}` }>(devnet.url(0), 'eth_getTransactionReceipt', [deployed])).contractAddress;
  await send({});
  seen.set = await send({ to: seen.store, data: `0x12345678${(7).toString(16).padStart(64, '0')}`, gasLimit: 100_000n, value: 0n });
  await devnet.mine(4);
  await devnet.settled();
  const at = await rpc<{ blockNumber: string; blockHash: string; from: string }>(devnet.url(0), 'eth_getTransactionReceipt', [seen.set]);
  Object.assign(seen, { account: at.from, block: at.blockHash, number: Number(at.blockNumber) });
  node = devnet.url(0);
  gateway = await testGateway(devnet.nodes, { chain: { blockTimeMs: 60_000, routing: { nullRetry: true } } });
  const { hash } = await rpc<{ hash: string }>(node, 'eth_getBlockByNumber', ['latest', false]);
  await gateway.until((upstreams, { head }) => serve(upstreams) && head?.hash === hash);
});
afterAll(async () => {
  await gateway.close();
  await devnet.close();
});

const hex = (value: number): string => `0x${value.toString(16)}`;

/** One read of each kind, by everything that names a block. */
function reads(): [string, readonly unknown[]][] {
  const { account, store, set, block, number } = seen;
  const get = { to: store, data: '0x6d4ce63c' };
  const at = [['latest'], ['finalized'], ['safe'], ['earliest'], [hex(number)], [{ blockHash: block }], [{ blockNumber: hex(number) }]];
  const states: [string, readonly unknown[]][] = at.flatMap((tail): [string, readonly unknown[]][] => [
    ['eth_getBalance', [account, ...tail]],
    ['eth_getCode', [store, ...tail]],
    ['eth_getTransactionCount', [account, ...tail]],
    ['eth_getStorageAt', [store, '0x0', ...tail]],
    ['eth_call', [get, ...tail]],
    ['eth_getProof', [store, [`0x${'0'.repeat(64)}`], ...tail]],
  ]);
  const tags = ['latest', 'finalized', 'safe', 'earliest', hex(number), hex(number + 1000)];
  return [
    ...states,
    ...tags.flatMap((tag): [string, readonly unknown[]][] => [
      ['eth_getBlockByNumber', [tag, true]],
      ['eth_getBlockByNumber', [tag, false]],
      ['eth_getBlockTransactionCountByNumber', [tag]],
      ['eth_getUncleCountByBlockNumber', [tag]],
      ['eth_getTransactionByBlockNumberAndIndex', [tag, '0x0']],
      ['eth_getBlockReceipts', [tag]],
    ]),
    ...[block, NOWHERE].flatMap((hash): [string, readonly unknown[]][] => [
      ['eth_getBlockByHash', [hash, true]],
      ['eth_getBlockTransactionCountByHash', [hash]],
      ['eth_getUncleCountByBlockHash', [hash]],
      ['eth_getTransactionByBlockHashAndIndex', [hash, '0x0']],
      ['eth_getLogs', [{ blockHash: hash }]],
    ]),
    ...[set, NOWHERE].flatMap((hash): [string, readonly unknown[]][] => [
      ['eth_getTransactionByHash', [hash]],
      ['eth_getTransactionReceipt', [hash]],
      ['eth_getRawTransactionByHash', [hash]],
    ]),
    ['eth_getLogs', [{ fromBlock: '0x0', toBlock: 'latest' }]],
    ['eth_getLogs', [{ fromBlock: '0x0' }]],
    ['eth_getLogs', [{ fromBlock: hex(number), toBlock: hex(number), address: store, topics: [STORED_TOPIC] }]],
    ['eth_getLogs', [{ fromBlock: '0x0', toBlock: 'latest', topics: [NOWHERE] }]],
    ['eth_getUncleByBlockNumberAndIndex', [hex(number), '0x0']],
    ['eth_call', [get]],
    ['eth_call', [get, 'latest', { [store]: { stateDiff: { [`0x${'0'.repeat(64)}`]: `0x${'9'.padStart(64, '0')}` } } }]],
    ['eth_call', [{ data: '0x5f5ffd' }, 'latest']],
    ['eth_estimateGas', [{ from: account, to: store, data: `0x12345678${'1'.padStart(64, '0')}` }]],
    ['eth_estimateGas', [{ from: NOBODY, to: TO, value: '0x1' }, 'latest']],
    ['eth_createAccessList', [get, 'latest']],
    ['eth_feeHistory', ['0x3', 'latest', [25, 75]]],
    ['eth_gasPrice', []], ['eth_maxPriorityFeePerGas', []], ['eth_blobBaseFee', []], ['eth_blockNumber', []],
    ['eth_chainId', []], ['net_version', []], ['eth_syncing', []], ['web3_sha3', ['0x1234']],
  ];
}

/** Result, or code and message. */
async function ask(url: string, body: object): Promise<{ told: unknown; block: string | null }> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return { told: await answer.json(), block: answer.headers.get('x-tidegate-block') };
}

describe('what a client reads', () => {
  it('is the same from the edge as from a node, one by one, a second time, and as one batch', async () => {
    const calls = reads().map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }));
    const block = `${Number(await rpc(node, 'eth_blockNumber'))}:${(await rpc<{ hash: string }>(node, 'eth_getBlockByNumber', ['latest', false])).hash}`;
    for (const call of calls) {
      const { told } = await ask(node, call);
      for (const turn of ['first', 'second']) {
        expect({ turn, call, ...(await ask(gateway.url, call)) }).toEqual({ turn, call, told, block });
      }
    }
    const whole = await ask(gateway.url, calls);
    expect(whole.block).toBe(block);
    expect(whole.told).toEqual((await ask(node, calls)).told);
  });

  it('is the same by ethers', async () => {
    const read = async (url: string): Promise<unknown> => {
      const provider = new JsonRpcProvider(url, undefined, { staticNetwork: true });
      try {
        const all = await Promise.all([
          provider.getNetwork(), provider.getBlockNumber(), provider.getBlock('latest', true), provider.getBlock(seen.block), provider.getBlock('finalized'),
          provider.getBalance(seen.account), provider.getCode(seen.store), provider.getStorage(seen.store, 0), provider.getTransactionCount(seen.account),
          provider.getTransaction(seen.set), provider.getTransactionReceipt(seen.set), provider.getLogs({ fromBlock: 0, address: seen.store }),
          provider.call({ to: seen.store, data: '0x6d4ce63c' }), provider.call({ to: seen.store, data: '0x6d4ce63c', blockTag: seen.number - 1 }),
          provider.estimateGas({ from: seen.account, to: TO, value: 1n }), provider.getFeeData(),
        ]);
        return JSON.parse(JSON.stringify(all, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)));
      } finally {
        provider.destroy();
      }
    };
    expect(await read(gateway.url)).toEqual(await read(node));
  });

  it.each([
    ['one by one', false],
    ['in batches', true],
  ])('is the same by viem, asking %s, multicall included', async (_, batch) => {
    const { store: address, account, set, block, number } = seen as typeof seen & Record<'account' | 'set' | 'block', `0x${string}`>;
    const read = async (url: string): Promise<unknown> => {
      const client = createPublicClient({ chain: foundry, transport: http(url, { batch, retryCount: 0 }), cacheTime: 0 }) as PublicClient;
      return Promise.all([
        client.getChainId(), client.getBlockNumber(), client.getBlock({ includeTransactions: true }), client.getBlock({ blockHash: block }), client.getBlock({ blockTag: 'safe' }),
        client.getBlockTransactionCount({ blockHash: block }), client.getBalance({ address: account }), client.getCode({ address }), client.getStorageAt({ address, slot: '0x0' }),
        client.getTransactionCount({ address: account }), client.getTransaction({ hash: set }), client.getTransactionReceipt({ hash: set }), client.getTransactionConfirmations({ hash: set }),
        client.getLogs({ fromBlock: 0n, toBlock: 'latest' }), client.getContractEvents({ abi, address, fromBlock: 0n }), client.call({ to: address, data: '0x6d4ce63c' }),
        client.readContract({ abi, address, functionName: 'get', blockNumber: BigInt(number - 1) }), client.simulateContract({ abi, address, functionName: 'set', args: [3n], account }),
        client.estimateGas({ account, to: TO, value: 1n }), client.getGasPrice(), client.estimateFeesPerGas(), client.getFeeHistory({ blockCount: 3, rewardPercentiles: [50] }),
        client.getProof({ address, storageKeys: [`0x${'0'.repeat(64)}`] }),
        client.multicall({ deployless: true, contracts: [{ abi, address, functionName: 'get' }, { abi, address: NOBODY, functionName: 'get' }] }).then((all) => all.map(({ status, result }) => ({ status, result }))),
      ]);
    };
    expect(await read(gateway.url)).toEqual(await read(node));
  });

  const program = findCast();
  it.skipIf(program === null)('is the same by cast (needs cast)', async () => {
    const cast = new Cast(program ?? '');
    const { account, store, set, block, number } = seen;
    const commands = [
      ['block', 'latest', '--json'], ['block', block, '--json'], ['block', String(number), '--json', '--full'], ['block-number'], ['chain-id'], ['gas-price'], ['base-fee'],
      ['balance', account], ['balance', account, '--block', String(number)], ['nonce', account], ['code', store], ['codesize', store], ['storage', store, '0'],
      ['call', store, 'get()(uint256)'], ['call', store, 'get()(uint256)', '--block', String(number - 1)], ['estimate', store, 'set(uint256)', '5', '--from', account],
      ['tx', set, '--json'], ['receipt', set, '--json'], ['logs', '--json', '--from-block', '0', '--to-block', 'latest', '--address', store], ['proof', store, '0x0'],
      ['age', String(number)], ['find-block', '1'],
    ];
    try {
      for (const command of commands) expect({ command, said: await cast.run(gateway.url, ...command) }).toEqual({ command, said: await cast.run(node, ...command) });
    } finally {
      cast.close();
    }
  });
});
