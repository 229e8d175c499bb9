import { describe, expect, test } from 'vitest';
import { MethodSet } from '../../../src/chain/access.ts';
import { Grant, Meter, opensChain, PeerMeters } from '../../../src/route/admission.ts';

const free = { ratePerS: 0, burst: 0, maxInFlight: 0 };
const call = (method = 'eth_call', paramsRaw = '') => ({ method, paramsRaw });
const rules = (extra: object = {}) => ({
  name: 'app',
  chains: new Set<string>(),
  allow: new MethodSet([]),
  deny: new MethodSet([]),
  meter: new Meter(free),
  explains: false,
  ...extra,
});

describe('Meter', () => {
  test('a rate lets its burst through, then what comes back', () => {
    const meter = new Meter({ ...free, ratePerS: 10, burst: 3 });
    expect([0, 0, 0, 0].map((atMs) => meter.enter(1, atMs))).toEqual([0, 0, 0, 100]);
    expect(meter.enter(1, 99)).toBeGreaterThan(0);
    expect(meter.enter(1, 100)).toBe(0);
    expect(meter.inFlight).toBe(4);
  });

  test.each([
    [5, 5],
    [0.5, 1],
  ])('without a burst %d per second lets %d through at once', (ratePerS, atOnce) => {
    const meter = new Meter({ ...free, ratePerS });
    for (let i = 0; i < atOnce; i++) expect(meter.enter(1, 0)).toBe(0);
    expect(meter.enter(1, 0)).toBeGreaterThan(0);
  });

  test('so many at once, and a call refused for it costs no units', () => {
    const meter = new Meter({ ratePerS: 1, burst: 2, maxInFlight: 1 });
    expect(meter.enter(1, 0)).toBe(0);
    for (let i = 0; i < 5; i++) expect(meter.enter(1, 0)).toBeGreaterThan(0);
    meter.leave();
    expect(meter.enter(1, 0)).toBe(0);
  });
});

describe('PeerMeters', () => {
  test('keeps the addresses seen last, each with its own limits', () => {
    const peers = new PeerMeters({ ...free, maxInFlight: 1 }, 2);
    const a = peers.of('a');
    expect(peers.of('b')).not.toBe(a);
    expect(peers.of('a')).toBe(a);
    peers.of('c');
    expect(peers.size).toBe(2);
    expect(peers.of('a')).toBe(a);
    expect(a.enter(1, 0)).toBe(0);
    expect(peers.of('b').enter(1, 0)).toBe(0);
  });
});

describe('Grant', () => {
  test('charges the method by weight to the key and one call to the address', () => {
    const key = rules({ meter: new Meter({ ...free, ratePerS: 1, burst: 20 }) });
    const peer = new Meter({ ...free, ratePerS: 1, burst: 3 });
    const grant = new Grant(key, peer);
    expect(grant.enter(call(), 20, 0)).toBeNull();
    expect(grant.enter(call(), 5, 0)).toMatchObject({ spec: { kind: 'rateLimited' }, retryAfterS: 5 });
    expect(grant.enter(call(), 1, 1000)).toBeNull();
    grant.leave();
    grant.leave();
    expect([key.meter.inFlight, peer.inFlight]).toEqual([0, 0]);
  });

  test.each([
    ['a method outside the allow list', call('eth_getLogs'), 'methodRefused'],
    ['a denied method in any case', call('DEBUG_traceCall'), 'methodRefused'],
    ['a member twice', call('eth_call', '[{"to":"0x1","To":"0x2"}]'), 'invalidParams'],
  ])('refuses %s and keeps no place for it', (_name, asked, kind) => {
    const key = rules({ allow: new MethodSet(['eth_call', 'debug_*']), deny: new MethodSet(['debug_*']) });
    const peer = new Meter(free);
    expect(new Grant(key, peer).enter(asked, 1, 0)).toMatchObject({ spec: { kind } });
    expect([key.meter.inFlight, peer.inFlight]).toEqual([0, 0]);
  });

  test('a member twice is the business of keys with an allow list alone', () => {
    const twice = call('eth_call', '[{"to":"0x1","to":"0x2"}]');
    expect(new Grant(rules(), null).enter(twice, 1, 0)).toBeNull();
    expect(new Grant(null, new Meter(free)).enter(twice, 1, 0)).toBeNull();
  });

  test('chains', () => {
    expect(opensChain(rules(), 'any')).toBe(true);
    expect(opensChain(rules({ chains: new Set(['main']) }), 'main')).toBe(true);
    expect(opensChain(rules({ chains: new Set(['main']) }), 'other')).toBe(false);
  });
});
