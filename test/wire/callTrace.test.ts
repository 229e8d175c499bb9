import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { ScriptNode } from '../help/scriptNode.ts';

const HEADER = 'x-tidegate-explain';
const QUICK = { ramp: { durationMs: 0 }, probation: { samples: 1 } };
const key = (name: string, extra: object = {}) => ({ name, sha256: createHash('sha256').update(`key-${name}`).digest('hex'), ...extra });
const CALL = '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x01","latest"]}';

interface Told {
  readonly outcome: string;
  readonly upstream?: string;
  readonly ms: number;
  readonly cut?: boolean;
  readonly attempts: readonly { readonly name: string; readonly atMs: number; readonly ms: number; readonly outcome: string; readonly hedge?: boolean }[];
  readonly candidates: readonly { readonly name: string; readonly weight: number; readonly why?: readonly string[] }[];
  readonly excluded: readonly { readonly name: string; readonly why?: readonly string[] }[];
}

describe.each(['uws', 'node'] as const)('the way of a live call, engine %s', (engine) => {
  let one: ScriptNode;
  let two: ScriptNode;
  let gateway: TestGateway | null = null;

  beforeEach(async () => {
    [one, two] = [await ScriptNode.start(() => ({ result: '"0x1"' })), await ScriptNode.start(() => ({ result: '"0x1"' }))];
  });
  afterEach(async () => {
    await gateway?.close();
    gateway = null;
    await Promise.all([one.close(), two.close()]);
  });

  const start = async (choice: object, chain: object = {}, more: readonly object[] = []): Promise<string> => {
    const upstreams = [{ name: 'one', http: one.httpUrl }, { name: 'two', http: two.httpUrl }, ...more];
    gateway = await testGateway([], { engine, ...choice, chain: { chainId: 1, upstreams, health: QUICK, ...chain } });
    await gateway.until((all) => serve(all, ['one', 'two']));
    return gateway.url;
  };
  const ask = async (url: string, headers: Record<string, string>, body = CALL) => {
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
    await answer.text();
    return { upstream: answer.headers.get('x-tidegate-upstream'), text: answer.headers.get(HEADER), exposed: answer.headers.get('access-control-expose-headers') };
  };
  const WANTED = { [HEADER]: '1' };

  test('tells a retry: who was first, what it said, who answered', async () => {
    const url = await start({ server: { explainHeader: true } }, { routing: { hedge: { enabled: false } } });
    const first = JSON.parse((await ask(url, WANTED)).text ?? '') as Told;
    const [chosen, other] = first.candidates.map(({ name }) => name);
    expect(first).toMatchObject({ outcome: 'result', upstream: chosen, attempts: [{ name: chosen, outcome: 'result' }], excluded: [] });
    expect(first.candidates.every(({ weight }) => weight > 0)).toBe(true);
    (chosen === 'one' ? one : two).say = () => ({ body: 'down', status: 502 });
    const answer = await ask(url, { ...WANTED, origin: 'https://app.example' });
    const told = JSON.parse(answer.text ?? '') as Told;
    expect(told.attempts.map(({ name, outcome }) => [name, outcome])).toEqual([[chosen, 'http'], [other, 'result']]);
    expect([told.upstream, answer.upstream]).toEqual([other, other]);
    expect(told.attempts[1]?.atMs).toBeGreaterThanOrEqual(told.attempts[0]?.ms ?? 0);
    expect(answer.exposed).toContain(HEADER);
  });

  test('tells a hedge', async () => {
    const url = await start({ server: { explainHeader: true } }, { routing: { hedge: { minMs: 1, maxMs: 1 } } });
    const first = JSON.parse((await ask(url, WANTED)).text ?? '') as Told;
    const slow = first.candidates[0]?.name === 'one' ? one : two;
    slow.say = () => 'hang';
    const told = JSON.parse((await ask(url, WANTED)).text ?? '') as Told;
    expect(told.attempts.map(({ outcome, hedge }) => [outcome, hedge])).toEqual(expect.arrayContaining([['result', true], ['cancelled', undefined]]));
  });

  test('is told to those who may ask, and only when they do', async () => {
    const keys = [key('operator', { explain: true }), key('app')];
    const closed = await start({ access: { keys }, server: { explainHeader: true } });
    expect((await ask(closed, { 'x-api-key': 'key-operator', ...WANTED })).text).toContain('"outcome":"result"');
    expect((await ask(closed, { 'x-api-key': 'key-operator' })).text).toBeNull();
    expect((await ask(closed, { 'x-api-key': 'key-operator', [HEADER]: '0' })).text).toBeNull();
    expect((await ask(closed, { 'x-api-key': 'key-app', ...WANTED })).text).toBeNull();
    expect((await ask(closed, WANTED)).text).toBeNull();
    await gateway?.close();
    expect((await ask(await start({}), WANTED)).text).toBeNull();
  });

  test('tells of a refusal, and nothing in a batch', async () => {
    const url = await start({ server: { explainHeader: true } });
    const refused = JSON.parse((await ask(url, WANTED, '{"jsonrpc":"2.0","id":1,"method":"admin_peers"}')).text ?? '') as Told;
    expect(refused).toMatchObject({ outcome: 'methodRefused', attempts: [], candidates: [] });
    expect((await ask(url, WANTED, `[${CALL}]`)).text).toBeNull();
  });

  test('is at most 2 KiB long, however many nodes there are', async () => {
    const many = Array.from({ length: 60 }, (_, i) => ({ name: `${'n'.repeat(58)}${i}`, http: `http://127.0.0.1:9/${i}` }));
    const { text } = await ask(await start({ server: { explainHeader: true } }, {}, many), WANTED);
    expect(text?.length).toBeLessThanOrEqual(2048);
    const told = JSON.parse(text ?? '') as Told;
    expect([told.cut, told.outcome, told.candidates.length]).toEqual([true, 'result', 2]);
    expect(told.excluded.length).toBeGreaterThan(5);
  });
});
