import { testGateway } from './gateway.ts';
import type { GatewayChoice, TestGateway } from './gateway.ts';
import type { LogChain } from './logChain.ts';
import { LogNode } from './logNode.ts';
import type { LogNodeOptions } from './logNode.ts';

export interface LogWorld {
  readonly chain: LogChain;
  readonly nodes: readonly LogNode[];
  readonly gateway: TestGateway;
  close(): Promise<void>;
}

/** Nodes of one chain and a gateway in front of them that knows their head. @param logs members of `logs` @param choice of the rest */
export async function logWorld(chain: LogChain, options: readonly LogNodeOptions[], logs: object = {}, choice: GatewayChoice = {}): Promise<LogWorld> {
  const nodes = await Promise.all(options.map((each) => LogNode.start(chain, each)));
  const gateway = await testGateway(nodes.map(({ httpUrl }, i) => ({ name: `n${i}`, httpUrl })), { ...choice, chain: { health: { probeIntervalMs: 50 }, logs } });
  await gateway.until((upstreams) => Object.values(upstreams).every(({ headNumber }) => headNumber === chain.head.number));
  return {
    chain,
    nodes,
    gateway,
    close: async () => {
      await gateway.close();
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}

export interface Told {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

export async function tell(url: string, method: string, params: readonly unknown[]): Promise<Told> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method, params });
  return (await (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json()) as Told;
}
