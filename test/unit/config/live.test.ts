import { expect, test } from 'vitest';
import { planReload } from '../../../src/config/live.ts';
import { configFromValue } from '../../../src/config/parse.ts';
import type { Config } from '../../../src/config/schema.ts';

const config = (chain: object = {}, more: object = {}): Config => {
  const result = configFromValue({ ...more, chains: [{ name: 'c', upstreams: [{ name: 'a', http: 'http://h/a' }], ...chain }] });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
};

test('nothing changed', () => {
  expect(planReload(config(), config())).toEqual({ config: config(), live: [], restart: [] });
});

test('what takes a restart keeps its value, the rest of its section changes', () => {
  const after = config(
    { chainId: 5, routing: { tierReturnMs: 1, nullRetry: false }, health: { failures: { windowMs: 2000, rate: 0.9 }, trustedHead: { maxStep: 7 } } },
    { server: { port: 1, maxBatchItems: 3 }, log: { level: 'debug', sampleEvery: 2 } },
  );
  const plan = planReload(config(), after);
  expect(plan.restart).toEqual([
    'log.level',
    'server.port',
    'chains.c.chainId',
    'chains.c.routing.tierReturnMs',
    'chains.c.health.failures.windowMs',
    'chains.c.health.trustedHead',
  ]);
  expect(plan.config).toEqual(
    config({ routing: { nullRetry: false }, health: { failures: { rate: 0.9 } } }, { server: { maxBatchItems: 3 }, log: { sampleEvery: 2 } }),
  );
  expect(plan.live).toEqual(['changed server.maxBatchItems', 'changed log.sampleEvery', 'changed chains.c.routing', 'changed chains.c.health']);
  // asked for again, it is named again
  expect(planReload(plan.config, after).restart).toEqual(plan.restart);
  expect(planReload(plan.config, after).live).toEqual([]);
});

test('TLS files change live, TLS itself does not', () => {
  const tls = (more: object) => config({}, { server: { tls: { certFile: 'a', keyFile: 'b', ...more } } });
  expect(planReload(tls({}), tls({ keyFile: 'c', minVersion: 'TLSv1.3' }))).toMatchObject({ live: ['changed server.tls'], restart: [] });
  for (const [before, after] of [[config(), tls({})], [tls({}), config()]] as const) {
    expect(planReload(before, after)).toEqual({ config: before, live: [], restart: ['server.tls'] });
  }
});
