import * as z from 'zod';
import { parseCidr } from './cidr.ts';
import { DEFAULTS } from './defaults.ts';
import { choice, count, durationMs, durationS, flag, listOf, section, sizeBytes } from './fields.ts';
import { tlsSection } from './tls.ts';
import { webSocketSection } from './subscriptions.ts';

const D = DEFAULTS.server;
const GIB = 1_073_741_824;
const HOUR_MS = 3_600_000;

/** An address or name to bind. */
export const hostField = (defaultHost: string, text: string) =>
  z
    .string({ error: 'must be an address or a host name' })
    .regex(/^[A-Za-z0-9.:_-]{1,253}$/, { error: 'must be an address or a host name' })
    .default(defaultHost)
    .describe(text);

const origin = z.string().regex(/^(\*|null|[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+)$/, {
  error: 'must be * or an origin such as https://app.example',
});
const WORKERS = 'must be auto or a whole number from 1 to 256';
const workers = z
  .union([z.literal('auto'), z.int({ error: WORKERS }).min(1, { error: WORKERS }).max(256, { error: WORKERS })], { error: WORKERS })
  .default(D.workers)
  .describe('Processes that serve the client port; 1 = the one that does everything else too, auto = as many as processor cores.');
const cidr = z.string().refine((text) => parseCidr(text) !== null, {
  error: 'must be an address range such as 10.0.0.0/8 or fd00::/8',
});

/** The client port and the limits of what a client may send. */
export const serverSection = section(
  {
    host: hostField(D.host, 'Address that the client port binds to.'),
    port: count(D.port, [0, 65_535], 'Client port; 0 picks a free one.'),
    engine: choice(
      ['auto', 'uws', 'node'],
      D.engine,
      'HTTP engine: uws is faster, node is stricter about framing; auto takes uws where it loads.',
    ),
    workers,
    workerRestart: section(
      {
        baseMs: durationMs(D.workerRestart.baseMs, [1, HOUR_MS], 'Time until a worker that died starts again.'),
        maxMs: durationMs(D.workerRestart.maxMs, [1, HOUR_MS], 'The same after many short lives; it doubles up to this.'),
      },
      'How fast a worker that died is replaced.',
    ),
    workerHangMs: durationMs(D.workerHangMs, [1000, HOUR_MS], 'A worker that says nothing for so long is killed and replaced.'),
    maxConnections: count(D.maxConnections, [1, 1_000_000], 'Most client connections open at once.'),
    maxHeaderBytes: sizeBytes(D.maxHeaderBytes, [256, 1_048_576], 'Largest request header.'),
    maxBodyBytes: sizeBytes(D.maxBodyBytes, [1, GIB / 4], 'Largest request body as sent.'),
    maxInflatedBytes: sizeBytes(D.maxInflatedBytes, [1, GIB / 4], 'Largest gzip request body after inflation.'),
    maxBatchItems: count(D.maxBatchItems, [1, 100_000], 'Most entries in one batch.'),
    batchConcurrency: count(D.batchConcurrency, [1, 10_000], 'Most entries of one batch under way at once.'),
    maxDepth: count(D.maxDepth, [2, 1024], 'Deepest nesting of a request.'),
    maxMethodBytes: sizeBytes(D.maxMethodBytes, [1, 4096], 'Longest method name.'),
    maxResponseBytes: sizeBytes(D.maxResponseBytes, [1, GIB / 4], 'Largest answer of a node that is taken whole before it is sent.'),
    streamAboveBytes: sizeBytes(D.streamAboveBytes, [0, GIB], 'Results over this size are handed on as they come; 0 = never.'),
    maxStreamBytes: sizeBytes(D.maxStreamBytes, [1, 1024 * GIB], 'Largest answer of a node that is handed on as it comes.'),
    streamTimeoutMs: durationMs(D.streamTimeoutMs, [1, 24 * HOUR_MS], 'Longest time that handing on one answer takes.'),
    maxInFlight: count(
      D.maxInFlight,
      [1, 1_000_000],
      'Most calls under way in this process; above it calls are refused.',
    ),
    bodyTimeoutMs: durationMs(D.bodyTimeoutMs, [1, HOUR_MS], 'Longest time to receive a request body.'),
    keepAliveTimeoutMs: durationMs(
      D.keepAliveTimeoutMs,
      [1, 24 * HOUR_MS],
      'Idle time after which a client connection is closed.',
    ),
    drainTimeoutMs: durationMs(
      D.drainTimeoutMs,
      [0, HOUR_MS],
      'Longest time that calls under way get to finish at shutdown.',
    ),
    refuseChunked: flag(D.refuseChunked, 'Refuse chunked request bodies.'),
    gzipAboveBytes: sizeBytes(
      D.gzipAboveBytes,
      [0, GIB],
      'Answers from this size are compressed for clients that ask; 0 = never.',
    ),
    cors: section(
      {
        origins: listOf(origin, D.cors.origins, 1000, 'Origins that browsers may call from; * = all.'),
        maxAgeS: durationS(D.cors.maxAgeS, [0, 86_400], 'How long a browser may remember a preflight answer.'),
      },
      'Cross-origin rules for browsers.',
    ),
    explainHeader: flag(
      D.explainHeader,
      'Answer x-tidegate-explain: 1 with the way that the call took; where access is set, only keys with explain get it.',
    ),
    trustedProxies: listOf(cidr, D.trustedProxies, 1000, 'Address ranges of proxies whose X-Forwarded-For counts.'),
    tls: tlsSection,
    webSocket: webSocketSection,
  },
  'The client port and its limits.',
);

/** The admin port. */
export const adminSection = section(
  {
    host: hostField(DEFAULTS.admin.host, 'Address that the admin port binds to.'),
    port: count(DEFAULTS.admin.port, [0, 65_535], 'Admin port; 0 picks a free one.'),
    tokenFile: z
      .string({ error: 'must be a path, or "" for none' })
      .max(4096, { error: 'must be at most 4096 characters' })
      .default(DEFAULTS.admin.tokenFile)
      .describe('File with the token for requests that change something, made where it is missing; empty = there are none.'),
    events: section(
      {
        kept: count(DEFAULTS.admin.events.kept, [0, 100_000], 'Newest events that a reader who comes back can catch up on.'),
        maxReaders: count(DEFAULTS.admin.events.maxReaders, [1, 200], 'Readers of the event stream at once.'),
        maxQueued: count(DEFAULTS.admin.events.maxQueued, [1, 100_000], 'Events that wait for a slow reader; beyond, it is told to look again.'),
        heartbeatMs: durationMs(DEFAULTS.admin.events.heartbeatMs, [1000, 300_000], 'Time between two signs of life on the event stream.'),
      },
      'The event stream.',
    ),
  },
  'The admin port: metrics, liveness, readiness, state.',
);

/** Logging. */
export const logSection = section(
  {
    level: choice(['debug', 'info', 'warn', 'error', 'silent'], DEFAULTS.log.level, 'Least level that is written.'),
    sampleEvery: count(DEFAULTS.log.sampleEvery, [0, 1_000_000_000], 'Log each Nth request; 0 = none.'),
  },
  'Logging.',
);
