import { resolve } from 'node:path';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { NodeConfig } from '../config/schema.ts';
import type { Observed } from '../driver/port.ts';
import type { LogSign } from '../heal/facts.ts';
import type { BootFault } from '../verify/verify.ts';
import type { KeptNode } from './chainLook.ts';
import { kindOf, trialSpecOf } from './clients.ts';
import { readSigns } from './logSign.ts';
import { lookAtNode, type SeenBlock } from './nodeRpc.ts';

const POLL_MS = 100;
const RPC_TIMEOUT_MS = 2000;

/** A node that runs on a copy of data, apart from everything: on loopback, without peers, on ports of its own. */
export interface Trial {
  readonly url: string;
  readonly head: SeenBlock;
}

/** A trial that could not be held: what kept it lies outside the data, and another try can go otherwise. */
class Unheld extends Error {}

const unheld = (error: unknown): Unheld => new Unheld(error instanceof Error ? error.message : String(error));

/** What a log gives away that is not of the data. */
const OUTSIDE: ReadonlySet<LogSign> = new Set<LogSign>(['portInUse', 'diskFull', 'badConfig', 'versionTooOld']);
/** Signals that a client does not raise of itself: the system was short of memory, or somebody ended it. */
const SENT: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);
/** Texts of Go, Rust and the C library. */
const SHORT = /out of memory|cannot allocate memory|memory allocation of \d+ bytes failed|too many open files/i;
const LOG_LINES = 20;

/** Why a client that ended did so: for a reason outside the data it is `Unheld`. */
const endOf = (node: KeptNode, { state, exitCode, signal, oomKilled }: Observed, lines: readonly string[]): Error => {
  const said = readSigns(lines, kindOf(node.config).signs);
  const last = said?.line ?? lines.at(-1) ?? '';
  const words = `it ended with ${oomKilled ? 'too little memory' : (signal ?? `code ${exitCode}`)}: ${last.slice(0, 200)}`;
  const isOutside = state === 'absent' || oomKilled || SENT.has(signal ?? '') || (said !== null && OUTSIDE.has(said.sign)) || lines.some((line) => SHORT.test(line));
  return isOutside ? new Unheld(words) : new Error(words);
};

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

const firstHead = async (node: KeptNode, name: string, port: number, timeoutMs: number): Promise<SeenBlock> => {
  const { driver } = node;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { head } = await lookAtNode(port, RPC_TIMEOUT_MS);
    if (head !== null) return head;
    const seen = await driver.observe(name);
    if (seen.state === 'exited' || seen.state === 'absent') throw endOf(node, seen, await driver.logs(name, LOG_LINES).catch(() => []));
    if (performance.now() > deadline) throw new Unheld(`no answer within ${timeoutMs} ms`);
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

const begin = async (node: KeptNode, { name, use, dataDir }: { readonly name: string; readonly use: string; readonly dataDir: string }): Promise<number> => {
  try {
    await endTrial(node, use);
    const port = await freePort();
    await node.driver.start(name, trialSpecOf(node.config, resolve(dataDir), port));
    return port;
  } catch (error) {
    throw unheld(error);
  }
};

/**
 * Boots a node's client on a copy of data, hands it over, and ends it. The data is written to meanwhile. Nothing of it touches the
 * network or the live node: it has no peers, makes no blocks, and listens on a free port of 127.0.0.1.
 * @throws Error with the client's last words when it does not come up
 */
export async function withTrial<T>(node: KeptNode, { dataDir, timeoutMs, use = DEFAULT_USE }: TrialRun, run: (trial: Trial) => Promise<T>): Promise<T> {
  const obstacle = trialObstacle(node.config);
  if (obstacle !== null) throw new Unheld(obstacle);
  const name = trialName(node.config.name, use);
  try {
    const port = await begin(node, { name, use, dataDir });
    return await run({ url: `http://127.0.0.1:${port}`, head: await firstHead(node, name, port, timeoutMs) });
  } finally {
    await endTrial(node, use);
  }
}

/** The head that a copy of data boots with, or why it does not: L2 of a verification. */
export async function trialBoot(node: KeptNode, run: TrialRun): Promise<SeenBlock | BootFault> {
  try {
    return await withTrial(node, run, ({ head }) => Promise.resolve(head));
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error), isInconclusive: error instanceof Unheld };
  }
}
