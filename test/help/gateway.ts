import { vi } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import type { ChainStatus, UpstreamStatus } from '../../src/gateway/status.ts';
import type { Logger } from '../../src/observe/log.ts';

/** One node for the gateway to front. */
export interface Fronted {
  readonly name: string;
  readonly httpUrl: string;
  readonly wsUrl?: string;
  /** More members of the upstream: `batch`, `transport`, … */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** What a test may set; all else is the default. */
export interface GatewayChoice {
  readonly engine?: 'auto' | 'uws' | 'node';
  /** Members of `access`. */
  readonly access?: Readonly<Record<string, unknown>>;
  /** `admin.tokenFile`; none by default. */
  readonly tokenFile?: string;
  /** Members of `server`: limits, timeouts, … */
  readonly server?: Readonly<Record<string, unknown>>;
  /** Members of the chain: `health`, `routing`, `chainId`, … */
  readonly chain?: Readonly<Record<string, unknown>>;
  /** Whole chains behind the first. */
  readonly moreChains?: readonly object[];
}

/** Nodes by name, as the admin port shows them. */
export type Upstreams = Readonly<Record<string, UpstreamStatus>>;

/** Whether all of these nodes are in full service and in the route table. */
export function serve(upstreams: Upstreams, names: readonly string[] = Object.keys(upstreams)): boolean {
  return names.every((name) => upstreams[name]?.state === 'serving' && upstreams[name].weight > 0);
}

/** A running gateway and what a test wants to see of it. */
export interface TestGateway {
  readonly url: string;
  readonly adminUrl: string;
  /** Every transition of a node's state since the start, as `name from>to reason`, in order. */
  readonly transitions: readonly string[];
  chain(): Promise<ChainStatus>;
  upstreams(): Promise<Upstreams>;
  /** Resolves once the picture of the admin port satisfies `wanted`; rejects with the last picture after 20 s. */
  until(wanted: (upstreams: Upstreams, chain: ChainStatus) => boolean): Promise<Upstreams>;
  close(): Promise<void>;
}

/** A log that keeps only the transitions of state. */
function transitionLog(transitions: string[]): Logger {
  const keep = (fields: unknown): void => {
    const { upstream, from, to, reason } = fields as Record<string, string>;
    if (upstream !== undefined && to !== undefined) transitions.push(`${upstream} ${from}>${to} ${reason}`);
  };
  const log: Logger = { debug: () => undefined, info: keep, warn: keep, error: keep, child: () => log };
  return log;
}

/** Configuration of one chain called `test`, ports free. */
function configText(nodes: readonly Fronted[], choice: GatewayChoice): string {
  const upstreams = nodes.map(({ name, httpUrl, wsUrl, options }) => ({ name, http: httpUrl, ...(wsUrl === undefined ? {} : { ws: wsUrl }), ...options }));
  return JSON.stringify({
    server: { port: 0, engine: choice.engine ?? 'auto', ...choice.server },
    admin: { port: 0, tokenFile: choice.tokenFile ?? '' },
    access: choice.access ?? {},
    // most tests look at what reaches the nodes: those of the cache switch it on
    chains: [{ name: 'test', upstreams, cache: { enabled: false }, ...choice.chain }, ...(choice.moreChains ?? [])],
  });
}

const summary = (chain: ChainStatus): string =>
  chain.upstreams.map(({ name, why, headNumber, lagBlocks }) => `${name} is ${why}, head ${headNumber}, lag ${lagBlocks}`).join('; ');

/** Starts a gateway on free ports in this process. Close it. */
export async function testGateway(nodes: readonly Fronted[], choice: GatewayChoice = {}): Promise<TestGateway> {
  const parsed = parseConfig(configText(nodes, choice), {});
  if (!parsed.ok) throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const transitions: string[] = [];
  const gateway = await startGateway(parsed.config, { log: transitionLog(transitions), version: 'test' });
  const adminUrl = `http://127.0.0.1:${gateway.adminPort}`;
  const chain = async (): Promise<ChainStatus> => {
    const [first] = (await (await fetch(`${adminUrl}/api/v1/upstreams`)).json()) as ChainStatus[];
    if (first === undefined) throw new Error('no chain');
    return first;
  };
  const byName = (status: ChainStatus): Upstreams => Object.fromEntries(status.upstreams.map((upstream) => [upstream.name, upstream]));
  return {
    url: `http://127.0.0.1:${gateway.clientPort}/`,
    adminUrl,
    transitions,
    chain,
    upstreams: async () => byName(await chain()),
    until: async (wanted) => {
      let last: ChainStatus = await chain();
      const look = async (): Promise<string> => {
        last = await chain();
        return wanted(byName(last), last) ? 'as wanted' : summary(last);
      };
      const check = async (): Promise<void> => {
        const seen = await look();
        if (seen !== 'as wanted') throw new Error(seen);
      };
      await vi.waitFor(check, { timeout: 20_000, interval: 25 });
      return byName(last);
    },
    close: () => gateway.close(),
  };
}
