import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { configFromValue } from '../../../src/config/parse.ts';
import type { RequestHead } from '../../../src/edge/port.ts';
import { Fault } from '../../../src/base/fault.ts';
import { Gate, networkOf } from '../../../src/gateway/gate.ts';
import { Paths } from '../../../src/gateway/paths.ts';

const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
const keys = [
  { name: 'app', sha256: sha256('k-app') },
  { name: 'side', sha256: sha256('k-side').toUpperCase(), chains: ['side'] },
];

const gate = (access: object) => {
  const chains = ['main', 'side'].map((name) => ({ name, upstreams: [{ name: 'a', http: `http://h/${name}` }] }));
  const parsed = configFromValue({ chains, access });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const paths = new Paths<{ readonly name: string }>();
  paths.set(['main', 'side'].map((name, i) => ({ name, chainId: i + 1, target: { name } })));
  return Gate.of(parsed.config.access, paths, (request) => request.remoteAddress());
};
const head = (path: string, headers: Record<string, string> = {}, peer = '10.0.0.1'): RequestHead => ({
  method: 'POST', path, query: '', minBlock: '', cacheControl: '', header: (name) => headers[name] ?? '', remoteAddress: () => peer,
});
/** `chain key`, or the kind of the refusal. */
const admit = (access: object, path: string, headers: Record<string, string> = {}): string => {
  const entry = gate(access)?.admit(head(path, headers)) ?? null;
  if (entry === null) return 'no gate';
  return entry instanceof Fault ? entry.spec.kind : `${entry.chain.name} ${entry.keyName}`;
};

describe('where a key may be', () => {
  test.each<[string, Record<string, string>, string]>([
    ['/k-app', {}, 'main app'],
    ['/k-app/', {}, 'main app'],
    ['/side/k-app', {}, 'side app'],
    ['/evm/2/k-app', {}, 'side app'],
    ['/evm/2/k-app/', {}, 'side app'],
    ['/', { 'x-api-key': 'k-app' }, 'main app'],
    ['/side', { authorization: 'Bearer k-side' }, 'side side'],
    ['/side', { authorization: 'bearer  k-side ' }, 'side side'],
    ['/side', { 'x-api-key': 'k-app', authorization: 'Bearer k-side' }, 'side app'],
    ['/main', { authorization: 'Bearer k-side' }, 'forbidden'],
    ['/k-side', {}, 'forbidden'],
    ['/', {}, 'unauthorized'],
    ['/', { 'x-api-key': 'k-ap' }, 'unauthorized'],
    ['/', { 'x-api-key': sha256('k-app') }, 'unauthorized'],
    ['/', { 'x-api-key': 'k'.repeat(10_000) }, 'unauthorized'],
    ['/', { authorization: 'Basic k-app' }, 'unauthorized'],
    ['/K-APP', {}, 'unauthorized'],
    ['/k-app/x', {}, 'unauthorized'],
    ['/none/k-app', {}, 'notFound'],
    ['/none', {}, 'unauthorized'],
    ['/none', { 'x-api-key': 'k-app' }, 'unauthorized'],
  ])('%s %j: %s', (path, headers, wanted) => expect(admit({ keys, required: true }, path, headers)).toBe(wanted));
});

describe('without a key', () => {
  test.each<[string, Record<string, string>, string]>([
    ['/side', {}, 'side '],
    ['/side', { 'x-api-key': 'unknown' }, 'side '],
    ['/side/unknown', {}, 'notFound'],
    ['/side/k-app', {}, 'side app'],
  ])('%s %j: %s', (path, headers, wanted) => expect(admit({ keys }, path, headers)).toBe(wanted));

  test('nothing configured is no gate', () => {
    expect(admit({}, '/')).toBe('no gate');
    expect(admit({ perIp: { maxInFlight: 1 } }, '/')).toBe('main ');
    expect(admit({ required: true }, '/')).toBe('unauthorized');
  });
});

describe('limits per address', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['2001:db8::1', '2001:db8:0:0:ffff::2', true],
    ['2001:db8::1', '2001:db8:0:1::1', false],
    ['::a00:1', '10.0.0.1', false],
    ['x'.repeat(9), 'nonsense', true],
  ])('%s and %s share them: %s', (a, b, same) => expect(networkOf(a) === networkOf(b)).toBe(same));

  test('hold over requests', () => {
    const one = gate({ perIp: { callsPerS: 1 } });
    const enter = (peer: string) => {
      const entry = one?.admit(head('/', {}, peer));
      if (entry === undefined || entry instanceof Fault) throw new Error('refused');
      return entry.grant.enter({ method: 'eth_call', paramsRaw: '' }, 20, 0)?.spec.kind ?? 'in';
    };
    expect([enter('10.0.0.1'), enter('10.0.0.1'), enter('10.0.0.2')]).toEqual(['in', 'rateLimited', 'in']);
  });
});
