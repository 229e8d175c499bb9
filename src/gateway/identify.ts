import type { ChainConfig } from '../config/schema.ts';
import { HttpUpstream } from '../upstream/http.ts';
import { readQuantity } from '../chain/evm/fields.ts';
import { parseJson, question, readAnswer } from '../upstream/family.ts';
import type { GatewayWorld } from './node.ts';

/**
 * Asks every node of a chain for its chain id.
 * @returns the id, or null when no node answered
 * @throws Error naming two nodes and their ids when they differ, or the id that the config wants instead
 */
export async function identify(chain: ChainConfig, world: GatewayWorld): Promise<number | null> {
  const told = await Promise.all(chain.upstreams.map(async (upstream) => ({ name: upstream.name, id: await askChainId(chain, upstream.name, world) })));
  const known = told.filter((node) => node.id !== null);
  const [first] = known;
  if (first === undefined) return chain.chainId ?? null;
  // a configured id is enforced node by node: one wrong node must not keep the others from serving
  if (chain.chainId !== undefined) return chain.chainId;
  const other = known.find((node) => node.id !== first.id);
  if (other !== undefined) {
    throw new Error(`chain ${chain.name}: the nodes are on different chains: ${first.name} has chain id ${first.id}, ${other.name} has ${other.id}; set chainId, or leave one out`);
  }
  return first.id;
}

async function askChainId(chain: ChainConfig, name: string, world: GatewayWorld): Promise<number | null> {
  const config = chain.upstreams.find((upstream) => upstream.name === name);
  if (config === undefined) return null;
  const client = new HttpUpstream(
    { name, url: config.http, headers: config.headers, connections: 1, maxWaiting: 1, connectTimeoutMs: chain.routing.connectTimeoutMs, maxResponseBytes: 65_536, keepAliveTimeoutMs: 1_000 },
    world,
  );
  try {
    return await new Promise<number | null>((resolve) => {
      client.send(question(1, 'eth_chainId', '[]'), chain.health.probeTimeoutMs, {
        onReply: (_status, body) => {
          const answer = readAnswer(parseJson(body.toString('utf8')));
          const id = answer?.kind === 'result' ? readQuantity(answer.value) : -1;
          resolve(id > 0 ? id : null);
        },
        onFailure: () => resolve(null),
      });
    });
  } finally {
    await client.close(0);
  }
}
