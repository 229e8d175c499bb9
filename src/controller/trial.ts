import { resolve } from 'node:path';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { NodeConfig } from '../config/schema.ts';
import type { KeptNode } from './chainLook.ts';
import { kindOf, trialSpecOf } from './clients.ts';
import { lookAtNode, type SeenBlock } from './nodeRpc.ts';

const POLL_MS = 100;
const RPC_TIMEOUT_MS = 2000;

/** A node that runs on a copy of data, apart from everything: on loopback, without peers, on ports of its own. */
export interface Trial {
  readonly url: string;
  readonly head: SeenBlock;
}

const freePort = (): Promise<number> =>
  new Promise((done, failed) => {
    const server = createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });

/** Driver's name for the trial of a node. @param use trials for different uses can run at a time */
const trialName = (node: string, use: string): string => `${node}.${use}`;
const DEFAULT_USE = 'trial';

/** Ends what runs as the trial of a node, also what a controller that died left. */
export async function endTrial({ config, driver }: KeptNode, use = DEFAULT_USE): Promise<void> {
  const name = trialName(config.name, use);
  const { state, incarnation } = await driver.observe(name);
  if (state === 'running') await driver.stop(name, incarnation, config.stopGraceMs);
  await driver.forget(name);
}

/** Why no trial can be run of a node; null = it can. */
export function trialObstacle(config: NodeConfig): string | null {
  if (kindOf(config).trial === null && config.trialArgs.length === 0) return `client \`${config.client}\` needs trialArgs, which boot it apart from everything`;
  const live = resolve(config.dataDir);
  const spec = trialSpecOf(config, `${live}.trial`, 1);
  const named = [...spec.args, ...Object.values(spec.env)].find((text) => text.replaceAll(`${live}.trial`, '').includes(live));
  return named === undefined ? null : 'its arguments or environment name its data directory; write {dataDir} there';
}

const firstHead = async ({ driver }: KeptNode, name: string, port: number, timeoutMs: number): Promise<SeenBlock> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { head } = await lookAtNode(port, RPC_TIMEOUT_MS);
    if (head !== null) return head;
    const { state, exitCode, signal } = await driver.observe(name);
    if (state === 'exited' || state === 'absent') {
      const [last = ''] = (await driver.logs(name, 1).catch(() => [])).slice(-1);
      throw new Error(`it ended with ${signal ?? `code ${exitCode}`}: ${last.slice(0, 200)}`);
    }
    if (performance.now() > deadline) throw new Error(`no answer within ${timeoutMs} ms`);
    await wait(POLL_MS);
  }
};

/** What is booted, and how. */
export interface TrialRun {
  /** Holds a copy that nobody else uses. */
  readonly dataDir: string;
  readonly timeoutMs: number;
  /** Trials for different uses can run at a time. */
  readonly use?: string;
}

/**
 * Boots a node's client on a copy of data, hands it over, and ends it. The data is written to meanwhile. Nothing of it touches the
 * network or the live node: it has no peers, makes no blocks, and listens on a free port of 127.0.0.1.
 * @throws Error with the client's last words when it does not come up
 */
export async function withTrial<T>(node: KeptNode, { dataDir, timeoutMs, use = DEFAULT_USE }: TrialRun, run: (trial: Trial) => Promise<T>): Promise<T> {
  const obstacle = trialObstacle(node.config);
  if (obstacle !== null) throw new Error(obstacle);
  await endTrial(node, use);
  const port = await freePort();
  const name = trialName(node.config.name, use);
  try {
    await node.driver.start(name, trialSpecOf(node.config, resolve(dataDir), port));
    return await run({ url: `http://127.0.0.1:${port}`, head: await firstHead(node, name, port, timeoutMs) });
  } finally {
    await endTrial(node, use);
  }
}

/** The head that a copy of data boots with, or why it does not: L2 of a verification. */
export async function trialBoot(node: KeptNode, run: TrialRun): Promise<SeenBlock | { readonly fault: string }> {
  try {
    return await withTrial(node, run, ({ head }) => Promise.resolve(head));
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}
