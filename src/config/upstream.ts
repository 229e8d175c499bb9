import * as z from 'zod';
import { DEFAULTS } from './defaults.ts';
import { choice, count, durationMs, flag, listOf, ratio, section, sizeBytes } from './fields.ts';
import { urlFault } from './url.ts';

const D = DEFAULTS.upstream;

/** A name that is safe as a metric label, in a header and in a log. */
export const labelName = (error: string, pattern: RegExp, text: string) =>
  z.string({ error }).regex(pattern, { error }).describe(text);

/** A method by name, or a family as `prefix_*`. */
const methodPattern = z.string().regex(/^[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9_]*)?\*?$/, {
  error: 'must be a method name or a prefix such as debug_*',
});

/** Method names or prefixes. */
export const methodList = (text: string) => listOf(methodPattern, [], 1000, text);

const nodeUrl = (schemes: readonly string[], pattern: RegExp, text: string) =>
  z
    .string({ error: `must be a ${schemes.join(' or ')} URL` })
    .regex(pattern, { error: `must be a ${schemes.join(' or ')} URL`, abort: true })
    .superRefine((value, context) => {
      const fault = urlFault(value, schemes);
      if (fault !== null) context.addIssue({ code: 'custom', message: fault });
    })
    .describe(text);

/** Headers that the HTTP client writes itself. */
const OWN_HEADERS = /^(host|connection|content-length|transfer-encoding|upgrade|expect|te|trailer|keep-alive)$/i;

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, { error: 'is not a header name' })
  .refine((name) => !OWN_HEADERS.test(name), { error: 'is written by the gateway itself and cannot be set' });
const headerValue = z.string({ error: 'must be text' }).regex(/^[\t\x20-\x7e]{0,8192}$/, {
  error: 'must be printable ASCII on one line, at most 8192 characters',
});

const capability = (name: Exclude<keyof typeof D.capabilities, 'stateBlocks'>, text: string) =>
  z
    .union([z.literal('auto'), z.boolean()], { error: 'must be auto, true or false' })
    .default(D.capabilities[name])
    .describe(text);

const socketsSection = section(
  {
    count: count(D.sockets.count, [1, 64], 'Connections for calls.'),
    maxInFlight: count(D.sockets.maxInFlight, [1, 100_000], 'Most calls under way on one connection.'),
    pingAfterMs: durationMs(D.sockets.pingAfterMs, [100, 3_600_000], 'Silence after which a connection is pinged, and again after which it is given up.'),
    reconnect: section(
      {
        baseMs: durationMs(D.sockets.reconnect.baseMs, [1, 3_600_000], 'First wait before connecting again, half of it at random.'),
        maxMs: durationMs(D.sockets.reconnect.maxMs, [1, 3_600_000], 'Longest wait.'),
      },
      'Waits between tries to connect, doubled each time.',
    ),
  },
  'Calls over WebSocket.',
);

const batchSection = section(
  {
    enabled: z
      .union([z.literal('auto'), z.boolean()], { error: 'must be auto, true or false' })
      .default(D.batch.enabled)
      .describe('Send waiting light calls as one JSON-RPC batch; auto = methods that were measured to be light on this node.'),
    maxCalls: count(D.batch.maxCalls, [1, 10_000], 'Most calls of one batch; 1 = none.'),
    maxBytes: sizeBytes(D.batch.maxBytes, [1024, 64 * 1024 * 1024], 'Most bytes of one batch.'),
    slots: count(D.batch.slots, [1, 10_000], 'Fewest requests of light calls under way from which on further light calls wait; more where the node takes longer.'),
    maxWaitMs: durationMs(D.batch.maxWaitMs, [1, 60_000], 'Light requests that take longer than this no longer keep others waiting.'),
    retryAfterMs: durationMs(D.batch.retryAfterMs, [1000, 86_400_000], 'How long a refusal of batches is remembered; longer when it is repeated.'),
  },
  'Calls that wait for this node leave together.',
);

const rate = (defaultRate: number, text: string) => ratio(defaultRate, [0, 1_000_000_000], text);

/** One node. */
export const upstreamObject = z.strictObject(
  {
    name: labelName(
      'must be 1 to 63 letters, digits, dots, dashes or underscores',
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
      'Name in metrics, logs and answer headers; unique within its chain.',
    ),
    http: nodeUrl(['http', 'https'], /^https?:\/\//i, 'JSON-RPC over HTTP.'),
    ws: z.exactOptional(
      nodeUrl(
        ['ws', 'wss'],
        /^wss?:\/\//i,
        'JSON-RPC over WebSocket: new heads arrive by subscription instead of polling.',
      ),
    ),
    weight: count(D.weight, [0, 10_000], 'Share of traffic relative to the others; 0 = probed but never used.'),
    tier: count(D.tier, [0, 9], 'A tier serves only when no lower number can.'),
    headers: z
      .record(headerName, headerValue, { error: 'must be a mapping of header names to text' })
      .default(() => ({}))
      .describe('Headers sent with each call, for keys.'),
    methods: section(
      {
        allow: methodList('Only these go to this node; empty = all.'),
        deny: methodList('These never go to this node.'),
      },
      'Which methods this node takes.',
    ),
    capabilities: section(
      {
        archive: capability('archive', 'Has the state of old blocks; false = calls that read an older state than stateBlocks allows never go there.'),
        stateBlocks: count(D.capabilities.stateBlocks, [1, 1_000_000_000], 'With archive false: newest blocks that it has the state of.'),
        trace: capability('trace', 'Has the trace_ family.'),
        debug: capability('debug', 'Has the debug_ family.'),
        txpool: capability('txpool', 'Has the txpool_ family.'),
        filters: capability('filters', 'Has filters and their polling.'),
      },
      'What the node can do; auto = learnt from its answers.',
    ),
    budget: section(
      {
        callsPerS: rate(D.budget.callsPerS, 'Calls per second, probes included; 0 = no limit.'),
        weightPerS: rate(D.budget.weightPerS, 'Weight of the methods called per second; 0 = no limit.'),
        burst: rate(
          D.budget.burst,
          'Most calls that can be saved up, or weight where only that is limited; 0 = those of a tenth of a second, at least 1.',
        ),
        tune: flag(D.budget.tune, 'Ask the node less for a while after it said 429, even without a limit.'),
      },
      'How fast this node may be asked; calls go elsewhere, or wait, when it is used up.',
    ),
    maxInFlight: count(D.maxInFlight, [1, 100_000], 'Most calls under way at this node.'),
    connections: count(D.connections, [1, 10_000], 'Most connections to this node.'),
    transport: choice(['http', 'ws', 'auto'], D.transport, 'How calls go to this node; auto = light ones over WebSocket while it is connected, all others over HTTP.'),
    sockets: socketsSection,
    batch: batchSection,
  },
  { error: 'must be a mapping' },
);

/** What the chain lets through. */
export const methodsSection = section(
  {
    allow: methodList('Guarded methods to let through, by name or prefix_*.'),
    deny: methodList('Methods to refuse, by name or prefix_*.'),
    unknown: choice(
      ['forward', 'refuse'],
      DEFAULTS.chain.methods.unknown,
      'What to do with a method that the catalogue does not know.',
    ),
    dev: z
      .boolean({ error: 'must be true or false' })
      .default(DEFAULTS.chain.methods.dev)
      .describe('Let the anvil_, evm_ and hardhat_ families through.'),
  },
  'Which methods clients may call.',
);
