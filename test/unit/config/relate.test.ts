import { describe, expect, test } from 'vitest';
import { configFromValue } from '../../../src/config/parse.ts';
import { problemText } from '../../../src/config/problem.ts';

const upstream = (name: string, extra: object = {}) => ({ name, http: `http://127.0.0.1:1/${name}`, ...extra });
const chain = (extra: object = {}) => ({ name: 'c', upstreams: [upstream('a'), upstream('b')], ...extra });
const lines = (value: object) => {
  const result = configFromValue({ chains: [chain()], ...value });
  return result.ok ? [] : result.problems.map((problem) => problemText(problem, ''));
};
const inChain = (extra: object) => lines({ chains: [chain(extra)] });

describe('server', () => {
  test.each([
    [{ server: { port: 9545 } }, 'server.port: server.port and admin.port are the same'],
    [
      { server: { port: 1, host: '0.0.0.0' }, admin: { port: 1 } },
      'admin.port: server.port and admin.port are the same',
    ],
    [{ server: { tls: { certFile: 'a' } } }, 'server.tls.certFile: server.tls.keyFile is required beside server.tls.certFile'],
    [{ server: { tls: { keyFile: 'a' } } }, 'server.tls.keyFile: server.tls.certFile is required beside server.tls.keyFile'],
    [{ server: { tls: { passphrase: 'a' } } }, 'server.tls.passphrase: has no effect without server.tls.keyFile'],
    [
      { server: { maxBodyBytes: '20MiB' } },
      'server.maxBodyBytes: server.maxInflatedBytes must be at least server.maxBodyBytes',
    ],
    [
      { server: { maxInflatedBytes: '1MiB' } },
      'server.maxInflatedBytes: server.maxInflatedBytes must be at least server.maxBodyBytes',
    ],
    [
      { server: { maxBodyBytes: 100 } },
      'server.maxBodyBytes: server.maxMethodBytes must be at most server.maxBodyBytes',
    ],
    [
      { server: { trustedProxies: ['10.0.0.0/33'] } },
      'server.trustedProxies[0]: must be an address range such as 10.0.0.0/8 or fd00::/8',
    ],
  ])('%j', (value, line) => expect(lines(value)).toEqual([`: ${line}`]));

  test.each([
    { server: { port: 0 }, admin: { port: 0 } },
    { server: { port: 1, host: '127.0.0.2' }, admin: { port: 1 } },
  ])('%j is right', (value) => expect(lines(value)).toEqual([]));
});

describe('chains and upstreams', () => {
  const two = (a: object, b: object) =>
    lines({
      chains: [
        { name: 'c', upstreams: [upstream('a')], ...a },
        { name: 'd', upstreams: [upstream('b')], ...b },
      ],
    });

  test('names', () => {
    expect(two({}, { name: 'c' })).toEqual([': chains[1].name: is the same name as chains[0].name']);
    expect(two({}, { name: 'evm' })).toEqual([': chains[1].name: is a reserved path: choose another name']);
    expect(inChain({ upstreams: [upstream('a'), upstream('a', { http: 'http://h' })] })).toEqual([
      ': chains[0].upstreams[1].name: is the same name as chains[0].upstreams[0].name',
    ]);
    expect(two({}, { upstreams: [upstream('a', { http: 'http://other' })] })).toEqual([]);
  });

  test('chain ids', () => {
    expect(two({ chainId: 1 }, { chainId: 1 })).toEqual([
      ': chains[1].chainId: is the same chain id as chains[0].chainId',
    ]);
    expect(two({ chainId: 1 }, { chainId: 2 })).toEqual([]);
  });

  test('URLs, whatever their spelling, never printed', () => {
    const found = two(
      { upstreams: [upstream('a', { http: 'http://h:80/key' })] },
      { upstreams: [upstream('b', { http: 'HTTP://H/key' })] },
    );
    expect(found).toEqual([': chains[1].upstreams[0].http: is the same URL as chains[0].upstreams[0].http']);
  });

  test('a chain needs a node that takes traffic', () => {
    expect(inChain({ upstreams: [upstream('a', { weight: 0 })] })).toEqual([
      ': chains[0].upstreams: needs at least one upstream whose weight is not 0',
    ]);
    expect(inChain({ upstreams: [upstream('a', { weight: 0 }), upstream('b')] })).toEqual([]);
  });

  test('methods are allowed or denied, not both', () => {
    const methods = { allow: ['debug_*', 'eth_sign'], deny: ['eth_sign'] };
    expect(inChain({ methods })).toEqual([': chains[0].methods.deny[0]: is both in allow and in deny']);
    expect(inChain({ upstreams: [upstream('a', { methods })] })).toEqual([
      ': chains[0].upstreams[0].methods.deny[0]: is both in allow and in deny',
    ]);
  });
});

describe('routing and health', () => {
  test.each([
    [
      { routing: { attemptTimeout: { minMs: '20s' } } },
      'routing.attemptTimeout.minMs: attemptTimeout.minMs must be at most attemptTimeout.maxMs',
    ],
    [{ routing: { deadlineMs: '15s' } }, 'routing.deadlineMs: attemptTimeout.maxMs must be less than deadlineMs'],
    [
      { routing: { connectTimeoutMs: '30s' } },
      'routing.connectTimeoutMs: connectTimeoutMs must be less than deadlineMs',
    ],
    [{ routing: { hedge: { minMs: '3s' } } }, 'routing.hedge.minMs: hedge.minMs must be at most hedge.maxMs'],
    [{ routing: { hedge: { maxMs: '30s' } } }, 'routing.hedge.maxMs: hedge.maxMs must be less than deadlineMs'],
    [
      { health: { lag: { returnBlocks: 4 } } },
      'health.lag.returnBlocks: health.lag.returnBlocks must be less than health.lag.maxBlocks',
    ],
    [
      { health: { lag: { tolerance: 4 } } },
      'health.lag.tolerance: health.lag.tolerance must be less than health.lag.maxBlocks',
    ],
    [
      { health: { ejection: { baseMs: '6m' } } },
      'health.ejection.baseMs: health.ejection.baseMs must be at most health.ejection.maxMs',
    ],
    [
      { health: { probeTimeoutMs: '30s' } },
      'health.probeTimeoutMs: health.probeTimeoutMs must be less than routing.deadlineMs',
    ],
    [
      { health: { ejection: { maxShare: 0.8 } } },
      'health.ejection.maxShare: health.ejection.maxShare and panicShare must not add up to more than 1: ejections alone would cause panic',
    ],
    [{ health: { trustedHead: { quorum: 3 } } }, 'health.trustedHead.quorum: asks for 3 of 2 upstreams'],
  ])('%j', (extra, line) => expect(inChain(extra)).toEqual([`: chains[0].${line}`]));

  test('a hedge that is off is not compared', () => {
    expect(inChain({ routing: { hedge: { enabled: false, maxMs: '50s' } } })).toEqual([]);
  });
});
