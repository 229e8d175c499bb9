import * as z from 'zod';
import { DEFAULTS } from './defaults.ts';
import { choice, count, durationMs, flag, listOf, ratio, section, sizeBytes } from './fields.ts';
import { hostField } from './server.ts';
import { labelName } from './upstream.ts';
import { urlFault } from './url.ts';

const D = DEFAULTS.controller;
const HOUR_MS = 3_600_000;
const TIB = 1_099_511_627_776;

const path = (defaultPath: string, text: string) => z.string({ error: 'must be a path' }).max(4096, { error: 'is too long' }).default(defaultPath).describe(text);

const adminUrl = z
  .string({ error: 'must be an http URL' })
  .superRefine((value, context) => {
    const fault = urlFault(value, ['http', 'https']);
    if (fault !== null) context.addIssue({ code: 'custom', message: fault });
  })
  .default(D.edge.url)
  .describe('Admin port of the gateway in front of the nodes.');

const outputSection = (defaults: { readonly maxBytes: number; readonly kept: number }, text: string) =>
  section(
    {
      maxBytes: sizeBytes(defaults.maxBytes, [4096, TIB], 'A file that has grown beyond is set aside.'),
      kept: count(defaults.kept, [0, 100], 'Files set aside that are kept.'),
    },
    text,
  );

const H = D.healing;

const healingSection = section(
  {
    startGraceMs: durationMs(H.startGraceMs, [1000, 24 * HOUR_MS], 'After a start, how long a node may take to answer.'),
    unresponsiveMs: durationMs(H.unresponsiveMs, [1000, HOUR_MS], 'A node that has not answered for so long hangs.'),
    stallMs: durationMs(H.stallMs, [1000, 24 * HOUR_MS], 'A node behind whose head has not moved for so long stands still; at least two block times.'),
    lagBlocks: count(H.lagBlocks, [1, 1_000_000], 'Blocks behind the trusted head from which a node lags.'),
    shortRunMs: durationMs(H.shortRunMs, [1000, HOUR_MS], 'Runs shorter than this are crashes of a loop.'),
    crashLoopRuns: count(H.crashLoopRuns, [2, 100], 'Short runs in a row that make a crash loop.'),
    chainHaltedMs: durationMs(H.chainHaltedMs, [1000, 24 * HOUR_MS], 'No node has a new block for so long: the chain stands still; at least ten block times.'),
    minFreeBytes: sizeBytes(H.minFreeBytes, [0, TIB], 'A data directory with less space left counts as full.'),
    confirmMs: durationMs(H.confirmMs, [0, HOUR_MS], 'A verdict must hold so long before a running node is touched.'),
    maxFactsAgeMs: durationMs(H.maxFactsAgeMs, [1000, HOUR_MS], 'Older facts are not acted on.'),
    drainTimeoutMs: durationMs(H.drainTimeoutMs, [0, HOUR_MS], 'Longest wait for calls under way on a cordoned node.'),
    patienceMs: durationMs(H.patienceMs, [1000, 24 * HOUR_MS], 'A step held back for longer is told to a human.'),
    backoffMinMs: durationMs(H.backoffMinMs, [100, HOUR_MS], 'Wait before the second try of the same step; doubles from there.'),
    backoffMaxMs: durationMs(H.backoffMaxMs, [100, 24 * HOUR_MS], 'Longest such wait.'),
    maxAttemptsPerDay: count(H.maxAttemptsPerDay, [1, 1000], 'Most tries of all steps per node within 24 hours; then a human is called.'),
    maxUnavailable: count(H.maxUnavailable, [1, 1000], 'Most nodes of a chain that are out by our doing at once.'),
    minInService: count(H.minInService, [0, 1000], 'Nodes of a chain that must stay in service.'),
    stormPercent: ratio(H.stormPercent, [1, 100], 'Share of ill nodes from which no step may lower capacity or replace data.'),
    probation: section(
      {
        samples: count(H.probation.samples, [1, 1000], 'Good looks in a row.'),
        newBlocks: count(H.probation.newBlocks, [0, 1000], 'Blocks that the node must take by itself.'),
        timeoutMs: durationMs(H.probation.timeoutMs, [1000, 24 * HOUR_MS], 'Longest time for it.'),
      },
      'What a node must show, without traffic, before it is let back.',
    ),
    ramp: section(
      {
        percents: z
          .array(z.int().min(1).max(100), { error: 'must be a list of whole numbers from 1 to 100' })
          .min(1, { error: 'needs at least one share' })
          .max(20, { error: 'must have at most 20 shares' })
          .default(() => [...H.ramp.percents])
          .describe('Shares of its weight, one after the other; the last is 100.'),
        stepMs: durationMs(H.ramp.stepMs, [0, HOUR_MS], 'Time at each share.'),
      },
      'How traffic returns.',
    ),
  },
  'When and how nodes are healed.',
);

/** The controller: where it keeps its records, whom it asks, how it heals. */
export const controllerSection = section(
  {
    stateDir: path(D.stateDir, 'Records, journal and output of nodes; one controller at a time.'),
    intervalMs: durationMs(D.intervalMs, [100, HOUR_MS], 'Time between two looks.'),
    rpcTimeoutMs: durationMs(D.rpcTimeoutMs, [50, 60_000], 'Bound on one question to a node or the gateway.'),
    edge: section({ url: adminUrl, tokenFile: path(D.edge.tokenFile, 'File with the token of that port.') }, 'The gateway in front of the nodes.'),
    admin: section(
      {
        host: hostField(D.admin.host, 'Address that the admin port of the controller binds to.'),
        port: count(D.admin.port, [0, 65_535], 'Admin port of the controller; 0 picks a free one.'),
        tokenFile: path(D.admin.tokenFile, 'File with the token for requests that change something; made where missing.'),
      },
      'The admin port of the controller.',
    ),
    output: outputSection(D.output, 'Output of nodes that run as processes or containers.'),
    journal: outputSection(D.journal, 'The record of every step.'),
    docker: section(
      {
        socketPath: path(D.docker.socketPath, 'Unix socket of the Docker engine.'),
        prefix: labelName('must be 1 to 31 lower-case letters, digits or dashes', /^[a-z0-9][a-z0-9-]{0,30}$/, 'Begins the names of containers.').default(D.docker.prefix),
        image: z.string({ error: 'must be text' }).max(512).default(D.docker.image).describe('Image of nodes that name none.'),
        network: z.string({ error: 'must be text' }).max(128).default(D.docker.network).describe('Network of the containers.'),
      },
      'The driver for containers.',
    ),
    healing: healingSection,
  },
  'The keeper of the nodes below `nodes`.',
);

const words = (text: string) => listOf(z.string({ error: 'must be text' }).max(4096), [], 256, text);
const N = DEFAULTS.node;
const port = (text: string) => z.int({ error: 'must be a port' }).min(1, { error: 'must be a port' }).max(65_535, { error: 'must be a port' }).describe(text);

/** One node that the controller runs. */
export const nodeObject = z.strictObject(
  {
    name: labelName('must be 1 to 63 letters, digits, dots, dashes or underscores', /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'Name in metrics, logs and the journal; unique.'),
    chain: z.string({ error: 'must be the name of a chain' }).describe('Name of its chain.'),
    client: choice(['anvil', 'geth', 'command'], N.client, 'What it is: decides the command, the way it is stopped and how its log is read.'),
    driver: choice(['process', 'docker'], N.driver, 'What it runs in.'),
    upstream: z.exactOptional(z.string({ error: 'must be the name of an upstream' }).describe('The upstream of its chain that it backs; its own name by default.')),
    httpPort: port('Port of its JSON-RPC over HTTP, on 127.0.0.1.'),
    wsPort: z.exactOptional(port('Port of its JSON-RPC over WebSocket, where it is another one.')),
    dataDir: z.string({ error: 'must be a path' }).min(1, { error: 'must be a path' }).max(4096).describe('Its data; no other node may use it.'),
    command: z.exactOptional(z.string({ error: 'must be a path or name' }).min(1).max(4096).describe('The program; required for client `command`.')),
    args: words('Arguments behind those of its client. {name}, {dataDir}, {httpPort} and {wsPort} are filled in.'),
    trialArgs: words('All arguments of a trial boot on a copy of its data, without peers; {dataDir} and {httpPort} are filled in. Empty = those of its client; needed where client `command` is captured.'),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, { error: 'is not a name of a variable' }), z.string({ error: 'must be text' }).max(32_768), { error: 'must be a mapping of names to text' })
      .default(() => ({}))
      .describe('Added to its environment, which is bare otherwise; secrets come from the environment of the controller.'),
    image: z.exactOptional(z.string().max(512).describe('Image, for the docker driver.')),
    limits: section(
      {
        memoryBytes: sizeBytes(N.limits.memoryBytes, [0, TIB], 'Most memory; 0 = no limit. Only the docker driver limits.'),
        cpus: ratio(N.limits.cpus, [0, 4096], 'Most processors; 0 = no limit. Only the docker driver limits.'),
      },
      'What it may use.',
    ),
    restoreBy: choice(['auto', 'mount', 'reflink', 'copy'], N.restoreBy, 'How a snapshot gets to its data directory. mount: an overlay over the read-only tree in the store, for clients whose large files are never written again; reflink: shared blocks; auto: the first of these that is open, else a copy.'),
    canResync: flag(N.canResync, 'It can rebuild its data from nothing, from its peers or whoever feeds it: the last resort before a human.'),
    stopSignal: choice(['auto', 'SIGTERM', 'SIGINT', 'SIGQUIT'], N.stopSignal, 'How it is asked to end; auto = as its client wants it.'),
    stopGraceMs: durationMs(N.stopGraceMs, [0, HOUR_MS], 'Longest wait for its end before it is killed: a killed database may be a corrupt one.'),
  },
  { error: 'must be a mapping' },
);

/** The nodes that the controller keeps; none by default. */
export const nodesSection = listOf(nodeObject, [], 256, 'Nodes that the controller runs; see docs/controller.md.');
