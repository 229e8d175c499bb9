import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES, startEdge } from '../help/edge.ts';
import type { TestEdge } from '../help/edge.ts';
import { CORPUS } from '../help/edgeCorpus.ts';
import type { Outcome } from '../help/edgeCorpus.ts';
import { DIFFERENCE_REASONS, DIFFERENT_CASES, differenceOf } from '../help/edgeDifferences.ts';
import { post, RawClient } from '../help/raw.ts';
import { TlsFiles } from '../help/tls.ts';

/** Reasons for which uws keeps the connection, with its parser out of step, until its idle time is over. */
const WAITS: ReadonlySet<string> = new Set(['Malformed header line', 'More than 98 header lines', 'Chunk without its CRLF']);
const AFTER = 'the next request on this connection';

/** An edge, and a way to it. */
interface Side {
  readonly edge: TestEdge;
  readonly open: () => Promise<RawClient>;
}

/** Sends raw bytes and reports what came of it; a connection that stays open must serve one more request. */
async function run({ edge, open }: Side, bytes: string, expected: Outcome, waits: boolean): Promise<Outcome> {
  edge.handler.seen.length = 0;
  const client = await open();
  const statuses: number[] = [];
  const bodiless = bytes.startsWith('HEAD');
  client.write(bytes);
  while (expected.closes || statuses.length < expected.statuses.length) {
    // Where an engine waits for more, the client's own end of sending is what ends the wait.
    if (waits && statuses.length === expected.statuses.length) client.end();
    const response = await client.response({ bodiless });
    if (response === null) break;
    if (response.status !== 100) statuses.push(response.status);
  }
  const closed = client.socket.destroyed || expected.closes;
  if (!closed) {
    client.write(post(AFTER));
    const next = await client.response();
    expect(next?.body.toString()).toBe(`"${AFTER}"`);
    expect(client.leftover).toBe('');
  }
  if (expected.closes) await client.closed;
  client.leave();
  return { statuses, bodies: edge.handler.bodies.filter((body) => body !== AFTER), closes: closed };
}

const TRANSPORTS = ENGINES.flatMap((engine) => [{ engine, isTls: false }, { engine, isTls: true }]);

describe.each(TRANSPORTS)('raw requests on $engine, TLS $isTls', ({ engine, isTls }) => {
  let side: Side;
  let files: TlsFiles | null = null;
  beforeAll(async () => {
    if (isTls) files = await TlsFiles.make();
    const edge = await startEdge(engine, { bodyTimeoutMs: 1000, ...(files === null ? {} : { tls: files.tls }) });
    const ca = files?.ca;
    side = { edge, open: () => (ca === undefined ? RawClient.open(edge.server.port) : RawClient.openTls(edge.server.port, { ca })) };
  });
  afterAll(async () => {
    await side.edge.server.drain(0);
    files?.remove();
  });

  for (const { name, bytes, expected } of CORPUS) {
    const known = differenceOf(engine, name);
    const outcome = known?.expected ?? expected;
    const title = `${name}${known === null ? '' : ` (known difference: ${known.reason})`}`;
    it(`${title} -> ${outcome.statuses.join(', ') || 'no answer'}`, async () => {
      expect(await run(side, bytes, outcome, WAITS.has(known?.reason ?? ''))).toEqual(outcome);
    });
  }
});

describe('docs/http-strictness.md', () => {
  const page = readFileSync(new URL('../../docs/http-strictness.md', import.meta.url), 'utf8');

  it('lists exactly the known differences', () => {
    const table = page.slice(page.indexOf('## Known differences'));
    const rows = [...table.matchAll(/^\| ([A-Z][^|]*?) \|/gm)].map((match) => match[1]);
    expect(new Set(rows)).toEqual(new Set(['What', ...DIFFERENCE_REASONS]));
  });

  it('has a case in the corpus for each', () => {
    const names = new Set(CORPUS.map(({ name }) => name));
    expect([...DIFFERENT_CASES].filter((name) => !names.has(name))).toEqual([]);
    expect(names.size).toBe(CORPUS.length);
  });
});
