import { afterEach, describe, expect, it } from 'vitest';
import { tell, untilHit } from '../help/cacheCalls.ts';
import { ChainNode } from '../help/chainNode.ts';
import { ENGINES } from '../help/edge.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';

const HEAD = 100;
const PARAMS = ['0x00000000000000000000000000000000000000aa', '0x64'];
let node: ChainNode | null = null;
let gateway: TestGateway | null = null;
afterEach(async () => {
  await gateway?.close();
  await node?.close();
});

async function start(engine: 'uws' | 'node'): Promise<TestGateway> {
  const opened = await ChainNode.start(HEAD);
  node = opened;
  opened.script = (method) => (/^(?:eth|web3|net)_/.test(method) ? undefined : { result: true });
  gateway = await testGateway([{ name: 'a', httpUrl: opened.httpUrl }], {
    engine,
    chain: { chainId: 1, blockTimeMs: 60_000, cache: {}, methods: { dev: true, allow: ['debug_setHead'] }, health: { probeIntervalMs: 50 } },
  });
  await gateway.until((upstreams, { head }) => serve(upstreams) && head?.number === HEAD);
  return gateway;
}

const CHANGING = ['anvil_setBalance', 'hardhat_setStorageAt', 'evm_revert', 'evm_setAccountBalance', 'tenderly_setBalance', 'ganache_anything', 'dev_anything', 'debug_setHead'];

describe.each(ENGINES)('stored answers on %s', (engine) => {
  it('are void once a call may have changed the chain, alone, in a batch or as a notification', async () => {
    const { url } = await start(engine);
    const post = (body: string): Promise<Response> => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    for (const method of CHANGING) {
      const call = (id: string): string => `{"jsonrpc":"2.0"${id},"method":"${method}","params":[]}`;
      for (const body of [call(',"id":1'), `[${call(',"id":1')}]`, call('')]) {
        await untilHit(url, 'eth_getBalance', PARAMS);
        const asked = node?.paramsOf(method).length ?? 0;
        await (await post(body)).text();
        expect([method, node?.paramsOf(method).length]).toEqual([method, asked + 1]);
        expect([method, body, (await tell(url, 'eth_getBalance', PARAMS)).cache]).toEqual([method, body, 'miss']);
      }
    }
  });

  it('hold over calls that only read', async () => {
    const { url } = await start(engine);
    await untilHit(url, 'eth_getBalance', PARAMS);
    for (const method of ['debug_traceBlockByNumber', 'net_version', 'eth_getTransactionReceipt']) await tell(url, method, ['0x64']);
    expect((await tell(url, 'eth_getBalance', PARAMS)).cache).toBe('hit');
  });
});
