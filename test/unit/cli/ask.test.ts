import { beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../../../src/cli/run.ts';
import type { ShownChain, ShownUpstream } from '../../../src/cli/statusScreen.ts';
import type { Explanation, NodeFacts } from '../../../src/route/explanation.ts';
import { TestParts, TestWorld } from '../../help/cliWorld.ts';

const ADMIN = 'http://127.0.0.1:9545';
let world: TestWorld;
beforeEach(() => {
  world = new TestWorld();
});

const run = (...args: string[]) => runCli(args, world, new TestParts());
const answer = (path: string, value: unknown, status = 200, origin = ADMIN) =>
  world.answers.set(`${origin}${path}`, { status, body: typeof value === 'string' ? value : `${JSON.stringify(value)}\n` });

const upstream = (name: string, extra: Partial<ShownUpstream> = {}): ShownUpstream => ({
  name, tier: 0, state: 'serving', why: 'serving: fit', headNumber: 100, lagBlocks: 0, weight: 100, score: 1, p50Ms: 1.26, p99Ms: 12, inFlight: 3, ...extra,
});
const chain: ShownChain = {
  chain: 'main',
  chainId: 1,
  head: { number: 100 },
  finalized: 36,
  panic: true,
  upstreams: [upstream('one'), upstream('second', { state: 'ejected', why: 'ejected: is behind the trusted head (7 blocks, 84.0 s)', headNumber: -1, lagBlocks: 7, weight: 0, score: 0.333, inFlight: 0 })],
};

describe('status', () => {
  test('shows each chain as a table', async () => {
    answer('/api/v1/upstreams', [chain, { ...chain, chain: 'new', chainId: null, head: null, finalized: null, panic: false, finalityBroken: { times: 2, fromNumber: 30, depth: 9, at: '2026-01-01T00:00:00.000Z' }, upstreams: [] }]);
    expect(await run('status')).toBe(0);
    expect(world.outLines).toEqual([
      'main (chain id 1), head 100, finalized 36, PANIC: judgements are suspended',
      'NAME    TIER  STATE    HEAD  LAG  WEIGHT  SCORE     P50    P99  IN FLIGHT  WHY',
      'one        0  serving   100    0     100      1  1.3 ms  12 ms          3  fit',
      'second     0  ejected     -    7       0   0.33  1.3 ms  12 ms          0  is behind the trusted head (7 blocks, 84.0 s)',
      '',
      'new (chain id unknown), no head yet, FINALITY BROKEN from block 30 at 2026-01-01T00:00:00.000Z (2 times since the start)',
      'NAME  TIER  STATE  HEAD  LAG  WEIGHT  SCORE  P50  P99  IN FLIGHT  WHY',
    ]);
  });

  test('prints the answer itself with --json', async () => {
    answer('/api/v1/upstreams', [chain], 200, 'http://h.example:1');
    expect(await run('status', '--json', '--admin', 'http://user:pw@h.example:1/x')).toBe(0);
    expect(world.outLines).toEqual([JSON.stringify([chain])]);
  });

  test('lets no control character through to the terminal', async () => {
    answer('/api/v1/upstreams', [{ ...chain, chain: 'a\u001b[2J', upstreams: [upstream('x\u0007', { why: 'serving: \u009b1m' })] }]);
    await run('status');
    expect(world.outLines.join('')).not.toMatch(/\p{Cc}/u);
  });

  test.each([
    ['no gateway', null, 200, 'nothing listens there'],
    ['something else', '<html>', 200, 'not the admin port of a gateway (HTTP 200)'],
    ['JSON of something else', { a: 1 }, 200, 'not the admin port of a gateway'],
    ['a refusal', { error: 'unknown Host' }, 421, 'unknown Host'],
    ['null', 'null', 500, 'not the admin port of a gateway (HTTP 500)'],
  ])('fails at %s', async (_name, value, status, fault) => {
    if (value !== null) answer('/api/v1/upstreams', value, status);
    expect(await run('status')).toBe(1);
    expect(world.errLines).toEqual([`tidegate: ${ADMIN}: ${fault}`]);
    expect(world.outLines).toEqual([]);
  });

  test('--watch goes on while the gateway is away, until a signal', async () => {
    let pauses = 0;
    world.onPause = () => {
      pauses++;
      if (pauses === 1) answer('/api/v1/upstreams', [{ ...chain, panic: false }]);
      if (pauses === 2) world.signal();
    };
    expect(await run('status', '--watch')).toBe(0);
    expect(world.outLines.slice(0, 2)).toEqual([`\u001b[H\u001b[2J${ADMIN}: nothing listens there`, '\u001b[H\u001b[2Jmain (chain id 1), head 100, finalized 36']);
    expect(world.listeners.size).toBe(0);
  });
});

describe('explain', () => {
  const node = (name: string, extra: Partial<NodeFacts> = {}): NodeFacts => ({ name, tier: 0, state: 'serving', weight: 50, score: 0.5, distance: 0.012345, inFlight: 2, headNumber: 9, reasons: [], ...extra });
  const told: Explanation = {
    chain: 'main',
    method: 'debug_traceCall',
    params: '[]',
    facts: { listed: true, class: 'trace', access: 'open', retryable: true, hedgeable: false, idempotent: true, affinity: 'request', capability: 'debug', cost: 20 },
    refusal: null,
    requiredBlock: 10,
    stateBlock: 10,
    cache: { class: 'unfinalized', block: 10, stored: false, words: 'not stored here' },
    view: { block: '11:0xabc', trustedBlock: 11, firm: true, pinning: 'auto', pinnedParams: '["0xb"]' },
    panic: false,
    candidates: [{ ...node('one', { reasons: [{ reason: 'behind', words: 'its head is 9' }] }), attemptTimeoutMs: 500, hedgeDelayMs: 20 }],
    excluded: [node('two', { state: 'down', reasons: [{ reason: 'state', words: 'down: refuses its probe' }, { reason: 'full', words: 'is full' }] })],
    onFailure: { maxAttempts: 4, attemptTimeoutMs: 30_000, hedgeAfterMs: null, deadlineMs: 30_000, budgetLeft: 100, words: 'no other node can take it' },
  };

  test('says it in words', async () => {
    answer('/api/v1/explain?method=debug_traceCall&params=%5B%22a%26b%22%5D&chain=main', told);
    expect(await run('explain', '--method', 'debug_traceCall', '--chain', 'main', '--params', '["a&b"]')).toBe(0);
    expect(world.outLines).toEqual([
      'debug_traceCall on main',
      'class trace, retryable, not hedgeable, affinity request, cost 20, needs debug',
      'needs block 10',
      'reads the state of block 10',
      'seen from block 11:0xabc',
      'goes to nodes on the trusted branch up to 11, to no others',
      'where the node may be elsewhere it is sent with ["0xb"]',
      'cache: unfinalized (block 10): not stored here',
      '',
      'Order:',
      '   NAME  TIER  STATE    WEIGHT  SCORE  DISTANCE  IN FLIGHT  IN SPITE OF',
      '1  one      0  serving      50    0.5    0.0123          2  its head is 9',
      '',
      'Left out:',
      'NAME  STATE  WHY',
      'two   down   down: refuses its probe; is full',
      '',
      'On failure: no other node can take it',
      'at most 4 sends, the first given 30000 ms, never asked twice at once, all within 30000 ms; 100 retries left in the budget',
    ]);
  });

  test('says why nobody is asked', async () => {
    const refusal = { kind: 'methodRefused', code: -32601, message: 'the method is not allowed here' };
    answer('/api/v1/explain?method=admin_peers', { ...told, method: 'admin_peers', facts: null, cache: null, refusal, requiredBlock: -1, stateBlock: -1, view: null, candidates: [], excluded: [], onFailure: null });
    expect(await run('explain', '--method', 'admin_peers')).toBe(0);
    expect(world.outLines).toEqual(['admin_peers on main', 'refused: the method is not allowed here (methodRefused, code -32601)']);
  });

  test('prints the answer itself with --json; fails where there is none', async () => {
    answer('/api/v1/explain?method=m', told);
    expect(await run('explain', '--method', 'm', '--json')).toBe(0);
    expect(world.outLines).toEqual([JSON.stringify(told)]);
    answer('/api/v1/explain?method=n', { error: 'no such chain' }, 404);
    expect(await run('explain', '--method', 'n')).toBe(1);
    answer('/api/v1/explain?method=o', []);
    expect(await run('explain', '--method', 'o')).toBe(1);
    expect(world.errLines).toEqual([`tidegate: ${ADMIN}: no such chain`, `tidegate: ${ADMIN}: not the admin port of a gateway`]);
  });
});
