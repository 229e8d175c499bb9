import { Contract, ContractFactory, JsonRpcProvider, Wallet, parseEther } from 'ethers';
import { createPublicClient, createWalletClient, getContract, http, parseAbi } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cast, findCast } from '../help/cast.ts';
import { devWallet } from '../help/client.ts';
import { STORE_ABI, STORE_INIT_CODE, STORED_TOPIC } from '../help/contract.ts';
import { type TestDevnet, testDevnet } from '../help/devnet.ts';
import { serve, type TestGateway, testGateway } from '../help/gateway.ts';

/** What clients are told to ask at, in place of their usual seconds. */
const POLL_MS = 50;
const ENGINES = ['uws', 'node'] as const;
const TO = '0x000000000000000000000000000000000000dEaD';

let devnet: TestDevnet;
beforeAll(async () => {
  devnet = await testDevnet({ blockTimeMs: 300 });
  await devnet.mine(2);
  await devnet.settled();
});
afterAll(() => devnet.close());

const cast = findCast();

describe.each(ENGINES.map((engine, at) => ({ engine, at })))('through the edge on the engine $engine', ({ engine, at }) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await testGateway(devnet.nodes, { engine });
    await gateway.until((upstreams) => serve(upstreams));
  });
  afterAll(() => gateway.close());

  /** An account that no other test uses. */
  const keyOf = (client: number): `0x${string}` => devWallet(client * ENGINES.length + at).privateKey as `0x${string}`;

  it('ethers 6 deploys, sends, waits, reads logs, estimates and finds fees', async () => {
    // its own cache of 250 ms would outlive a block here, and give a nonce from before the last transaction
    const provider = new JsonRpcProvider(gateway.url, undefined, { polling: true, pollingInterval: POLL_MS, cacheTimeout: -1 });
    provider.pollingInterval = POLL_MS;
    try {
      expect((await provider.getNetwork()).chainId).toBe(31_337n);
      const wallet = new Wallet(keyOf(0), provider);
      const deployed = await new ContractFactory(STORE_ABI, STORE_INIT_CODE, wallet).deploy();
      await deployed.waitForDeployment();
      await devnet.settled();
      const store = new Contract(await deployed.getAddress(), STORE_ABI, wallet);

      expect(await store.getFunction('set').estimateGas(7n)).toBeGreaterThan(21_000n);
      const receipt = await (await store.getFunction('set')(7n)).wait();
      expect(receipt).toMatchObject({ status: 1, to: await store.getAddress() });
      await devnet.settled();
      expect(await store.getFunction('get')()).toBe(7n);
      const logs = await store.queryFilter('Stored', receipt.blockNumber, 'latest');
      expect(logs.map((log) => [log.transactionHash, log.data])).toEqual([[receipt.hash, `0x${(7).toString(16).padStart(64, '0')}`]]);

      const { maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData();
      expect(maxFeePerGas).toBeGreaterThan(maxPriorityFeePerGas ?? -1n);
      const paid = await (await wallet.sendTransaction({ to: TO, value: parseEther('1') })).wait(2);
      expect(paid?.status).toBe(1);
      // Asked in one tick, these go as one JSON-RPC batch.
      const [head, balance, nonce, code] = await Promise.all([
        provider.getBlock('latest'),
        provider.getBalance(TO),
        provider.getTransactionCount(wallet),
        provider.getCode(store),
      ]);
      expect(head?.number).toBeGreaterThanOrEqual(paid?.blockNumber ?? Number.POSITIVE_INFINITY);
      expect(balance).toBeGreaterThanOrEqual(parseEther('1'));
      expect(nonce).toBe(3);
      expect(`0x${STORE_INIT_CODE.slice(-0x44 * 2)}`).toBe(code);
      // The node's own words reach the client, which makes an error of its own kind of them.
      await expect(wallet.sendTransaction({ to: TO, value: parseEther('1000000') })).rejects.toMatchObject({ code: 'INSUFFICIENT_FUNDS' });
    } finally {
      provider.destroy();
    }
  });

  it.each([
    ['one by one', false],
    ['in batches', true],
  ])('viem, asking %s, deploys, sends, waits, reads logs, estimates and finds fees', async (_, batch) => {
    const account = privateKeyToAccount(keyOf(batch ? 2 : 1));
    const shared = { chain: foundry, transport: http(gateway.url, { batch, retryCount: 0 }), pollingInterval: POLL_MS };
    const reader = createPublicClient(shared);
    const writer = createWalletClient({ ...shared, account });
    const abi = parseAbi(STORE_ABI);

    const deployed = await reader.waitForTransactionReceipt({ hash: await writer.deployContract({ abi, bytecode: STORE_INIT_CODE }) });
    expect(deployed.status).toBe('success');
    await devnet.settled();
    const address = deployed.contractAddress ?? '0x';
    const store = getContract({ abi, address, client: { public: reader, wallet: writer } });

    expect(await store.estimateGas.set([9n], { account })).toBeGreaterThan(21_000n);
    const receipt = await reader.waitForTransactionReceipt({ hash: await store.write.set([9n]) });
    expect(receipt).toMatchObject({ status: 'success', logs: [{ topics: [STORED_TOPIC] }] });
    await devnet.settled();
    expect(await store.read.get()).toBe(9n);
    const logs = await reader.getContractEvents({ abi, address, eventName: 'Stored', fromBlock: receipt.blockNumber });
    expect(logs.map((log) => [log.transactionHash, log.args.value])).toEqual([[receipt.transactionHash, 9n]]);

    const { maxFeePerGas, maxPriorityFeePerGas } = await reader.estimateFeesPerGas();
    expect(maxFeePerGas).toBeGreaterThan(maxPriorityFeePerGas);
    const [chainId, block, balance, gasPrice, nonce] = await Promise.all([
      reader.getChainId(),
      reader.getBlock({ blockNumber: receipt.blockNumber }),
      reader.getBalance({ address: account.address }),
      reader.getGasPrice(),
      reader.getTransactionCount({ address: account.address }),
    ]);
    expect([chainId, block.hash, nonce]).toEqual([31_337, receipt.blockHash, 2]);
    expect(balance).toBeLessThan(parseEther('10000'));
    expect(gasPrice).toBeGreaterThan(0n);
  });

  it.skipIf(cast === null)('cast deploys, sends, waits, reads logs, estimates and finds fees (needs cast)', async () => {
    const program = new Cast(cast ?? '');
    const run = (...args: string[]): Promise<string> => program.run(gateway.url, ...args);
    const send = async (...args: string[]): Promise<{ status: string; contractAddress: string; transactionHash: string; blockNumber: string }> =>
      JSON.parse(await run('send', '--json', '--poll-interval', '1', '--private-key', keyOf(3), ...args));
    try {
      const { status, contractAddress } = await send('--create', STORE_INIT_CODE);
      expect(status).toBe('0x1');
      await devnet.settled();
      expect(Number(await run('estimate', contractAddress, 'set(uint256)', '11'))).toBeGreaterThan(21_000);
      const { transactionHash, blockNumber } = await send(contractAddress, 'set(uint256)', '11');
      await devnet.settled();
      const [value, logs, receipt, price, chainId, balance] = await Promise.all([
        run('call', contractAddress, 'get()(uint256)'),
        run('logs', '--json', '--from-block', String(Number(blockNumber)), '--address', contractAddress, 'Stored(uint256)'),
        run('receipt', '--json', transactionHash),
        run('gas-price'),
        run('chain-id'),
        run('rpc', 'eth_getBalance', TO, 'latest'),
      ]);
      expect([value, chainId]).toEqual(['11', '31337']);
      expect(JSON.parse(logs)).toMatchObject([{ transactionHash, topics: [STORED_TOPIC] }]);
      expect(JSON.parse(receipt)).toMatchObject({ transactionHash, status: '0x1' });
      expect(Number(price)).toBeGreaterThan(0);
      expect(balance).toMatch(/^"0x[0-9a-f]+"$/);
    } finally {
      program.close();
    }
  });
});
