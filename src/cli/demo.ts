import { configFromValue } from '../config/parse.ts';
import { problemText } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { formatDurationMs } from '../config/units.ts';
import type { DemoCommand } from './args.ts';
import { runUntilSignal } from './lifetime.ts';
import { problemLines, withOverrides } from './load.ts';
import type { DemoNet, Parts, RunningGateway, World } from './ports.ts';

const NODES = 3;
const CHAIN_ID = 31_337;
const RESTART_DELAY_MS = 10_000;
const DRAIN_MS = 2000;

const demoConfig = (net: DemoNet, command: DemoCommand): Config => {
  const upstreams = net.nodes.map(({ name, httpUrl, wsUrl }) => ({ name, http: httpUrl, ws: wsUrl }));
  const chain = {
    name: 'demo',
    chainId: CHAIN_ID,
    blockTimeMs: command.blockTimeMs,
    methods: { dev: true },
    upstreams,
  };
  const result = configFromValue({ chains: [chain] });
  if (!result.ok) throw new Error(result.problems.map((problem) => problemText(problem, 'demo')).join('; '));
  const final = withOverrides({ config: result.config }, command.overrides);
  if ('problems' in final) throw new Error(problemLines(final).join('; '));
  return final.config;
};

const greeting = (net: DemoNet, gateway: RunningGateway, blockTimeMs: number): string[] => {
  const client = `http://127.0.0.1:${gateway.clientPort}`;
  const admin = `http://127.0.0.1:${gateway.adminPort}`;
  const body = '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}';
  const victim = net.nodes.find(({ pid }) => pid !== null);
  return [
    `Tidegate serves ${net.nodes.length} local nodes of chain ${CHAIN_ID}, a block every ${formatDurationMs(blockTimeMs)}, on ${client}`,
    ...net.nodes.map(({ name, pid, httpUrl }) => `  ${name}  pid ${pid ?? '-'}  ${httpUrl}`),
    '',
    'Try:',
    `  curl -s ${client} -H 'content-type: application/json' -d '${body}'`,
    ...(victim === undefined
      ? []
      : [
          `  kill -9 ${victim.pid}    # answers go on; the node is started again after ${formatDurationMs(RESTART_DELAY_MS)}`,
        ]),
    `  curl -s ${admin}/api/v1/upstreams    # state, head and lag of each node`,
    `  curl -s ${admin}/metrics`,
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

/** Runs local nodes and the gateway in front of them until a signal. */
export async function demo(command: DemoCommand, world: World, parts: Parts): Promise<number> {
  return runUntilSignal(world, async () => {
    const { blockTimeMs } = command;
    const net = await parts.startDemoNet({
      nodes: NODES,
      chainId: CHAIN_ID,
      blockTimeMs,
      autoRestart: true,
      restartDelayMs: RESTART_DELAY_MS,
    });
    try {
      const config = demoConfig(net, command);
      const gateway = await parts.startGateway(config, { log: parts.createLogger({ level: config.log.level }) });
      for (const line of greeting(net, gateway, blockTimeMs)) world.out(line);
      return { close: () => closeBoth(gateway, net) };
    } catch (error) {
      await net.close();
      throw error;
    }
  });
}
