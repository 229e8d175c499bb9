import { configFromValue } from '../config/parse.ts';
import { problemText } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { formatDurationMs } from '../config/units.ts';
import type { DemoCommand } from './args.ts';
import { runUntilSignal } from './lifetime.ts';
import { problemLines, withOverrides } from './load.ts';
import type { DemoNet, NamedNode, Parts, RunningGateway, World } from './ports.ts';
import type { JournalEntry } from '../observe/journal.ts';

const NODES = 3;
const CHAIN = 'demo';
const CHAIN_ID = 31_337;
const DRAIN_MS = 2000;
const DEFAULT_CONTROLLER_PORT = 9546;

const demoConfig = (nodes: readonly NamedNode[], command: DemoCommand): Config => {
  const upstreams = nodes.map(({ name, httpUrl, wsUrl }) => ({ name, http: httpUrl, ws: wsUrl }));
  const chain = { name: CHAIN, chainId: CHAIN_ID, blockTimeMs: command.blockTimeMs, methods: { dev: true }, upstreams };
  const result = configFromValue({ chains: [chain] });
  if (!result.ok) throw new Error(result.problems.map((problem) => problemText(problem, 'demo')).join('; '));
  const final = withOverrides({ config: result.config }, command.overrides);
  if ('problems' in final) throw new Error(problemLines(final).join('; '));
  return final.config;
};

/** Beside the gateway's, unless that was chosen. */
const controllerPortFor = ({ adminPort }: DemoCommand['overrides']): number => (adminPort === undefined ? DEFAULT_CONTROLLER_PORT : adminPort === 0 ? 0 : adminPort + 1);

/** What the controller did, for whoever watches. */
const entryLine = ({ kind, node, what, why, outcome, durationMs }: JournalEntry): string | null => {
  if (kind === 'chain') return what.startsWith('storm') ? null : `the whole chain: ${why}`;
  if (kind === 'human') return `${node}: ${why}`;
  if (kind === 'snapshot') return `${node}: ${what} ${outcome}: ${why}`;
  if (kind !== 'operation' || what === 'capture') return null;
  const after = `${((durationMs ?? 0) / 1000).toFixed(1)} s`;
  if (why.startsWith('nothing of it runs')) return `${node}: up after ${after}`;
  return outcome === 'ok' ? `${node}: healed by a ${what} within ${after}: ${why}` : `${node}: a ${what} ended as ${outcome} after ${after}: ${why}`;
};

const greeting = (net: DemoNet, gateway: RunningGateway, blockTimeMs: number): string[] => {
  const client = `http://127.0.0.1:${gateway.clientPort}`;
  const admin = `http://127.0.0.1:${gateway.adminPort}`;
  const body = '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}';
  const victim = net.nodes.find(({ pid }) => pid !== null);
  return [
    `Tidegate serves ${net.nodes.length} local nodes of chain ${CHAIN_ID}, a block every ${formatDurationMs(blockTimeMs)}, on ${client}`,
    ...net.nodes.map(({ name, pid, httpUrl }) => `  ${name}  pid ${pid ?? '-'}  ${httpUrl}`),
    `Data of the nodes, and snapshots: ${net.dataDir}`,
    '',
    'Try:',
    `  curl -s ${client} -H 'content-type: application/json' -d '${body}'`,
    ...(victim === undefined
      ? []
      : [
          `  kill -9 ${victim.pid}    # answers go on; the controller starts the node again and lets it back step by step`,
          `  kill -STOP ${victim.pid} # the same for one that hangs`,
          `  rm -r ${net.dataDir}/${victim.name}; kill -9 ${victim.pid}    # its data is gone: restored from the newest proven snapshot; the first is taken soon`,
        ]),
    `  curl -s ${admin}/api/v1/upstreams    # state, head and lag of each node`,
    `  curl -s ${admin}/metrics`,
    `  curl -s http://127.0.0.1:${net.controllerPort}/api/v1/journal    # what the controller did, and why`,
    '',
    'Ctrl-C ends everything.',
  ];
};

/** Closes the second even when the first cannot be closed. */
const closeBoth = async (gateway: RunningGateway, net: DemoNet): Promise<void> => {
  try {
    await gateway.close(DRAIN_MS);
  } finally {
    await net.close();
  }
};

/** Runs the gateway, and local nodes kept by a controller behind it, until a signal. */
export async function demo(command: DemoCommand, world: World, parts: Parts): Promise<number> {
  return runUntilSignal(world, async () => {
    const { blockTimeMs, overrides } = command;
    const nodes = await parts.demoNodes(NODES);
    const config = demoConfig(nodes, command);
    const log = parts.createLogger({ level: config.log.level });
    const gateway = await parts.startGateway(config, { log });
    try {
      let isGreeted = false;
      const onEntry = (entry: JournalEntry): void => {
        const line = isGreeted ? entryLine(entry) : null;
        if (line !== null) world.out(line);
      };
      const edge = { url: `http://127.0.0.1:${gateway.adminPort}`, tokenFile: config.admin.tokenFile };
      const net = await parts.startDemoNet(nodes, { chain: CHAIN, chainId: CHAIN_ID, blockTimeMs, edge, controllerPort: controllerPortFor(overrides), log, onEntry });
      for (const line of greeting(net, gateway, blockTimeMs)) world.out(line);
      isGreeted = true;
      return { close: () => closeBoth(gateway, net) };
    } catch (error) {
      await gateway.close(0);
      throw error;
    }
  });
}
