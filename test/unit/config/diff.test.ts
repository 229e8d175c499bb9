import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Change, diffConfig } from '../../../src/config/diff.ts';
import { configFromValue } from '../../../src/config/parse.ts';
import type { ChainConfig, Config } from '../../../src/config/schema.ts';

const config = (value: unknown): Config => {
  const result = configFromValue(value);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
};

const node = (name: string, chain: string, weight = 100) => ({ name, http: `http://h/${chain}/${name}`, weight });
const base = { chains: [{ name: 'c', upstreams: [node('a', 'c'), node('b', 'c')] }] };
const diff = (before: unknown, after: unknown) => diffConfig(config(before), config(after));

describe('diffConfig', () => {
  test('nothing changed', () => expect(diff(base, base)).toEqual({ live: [], restart: [] }));

  test('a port needs a restart, a limit does not', () => {
    expect(
      diff(base, { ...base, server: { port: 1, maxBatchItems: 7, cors: { maxAgeS: 1 } }, log: { level: 'debug' } }),
    ).toEqual({
      live: [
        { kind: 'changed', path: 'server.maxBatchItems' },
        { kind: 'changed', path: 'server.cors' },
        { kind: 'changed', path: 'log.level' },
      ],
      restart: [{ kind: 'changed', path: 'server.port' }],
    });
  });

  test('upstreams are told apart by name; their order means nothing', () => {
    const after = { chains: [{ name: 'c', upstreams: [node('x', 'c'), node('b', 'c', 7)] }] };
    const at = (upstream: string) => ({ path: `chains.c.upstreams.${upstream}`, chain: 'c', upstream });
    expect(diff(base, after)).toEqual({
      live: [
        { kind: 'removed', ...at('a') },
        { kind: 'added', ...at('x') },
        { kind: 'changed', ...at('b') },
      ],
      restart: [],
    });
    expect(diff(base, { chains: [{ name: 'c', upstreams: [node('b', 'c'), node('a', 'c')] }] })).toEqual({
      live: [],
      restart: [],
    });
  });

  test('chains come, go, change and take the lead', () => {
    const d = { name: 'd', upstreams: [node('a', 'd')] };
    expect(diff(base, { chains: [d, { ...base.chains[0], chainId: 5, routing: { nullRetry: false } }] })).toEqual({
      live: [
        { kind: 'changed', path: 'chains' },
        { kind: 'added', path: 'chains.d', chain: 'd' },
        { kind: 'changed', path: 'chains.c.routing', chain: 'c' },
      ],
      restart: [{ kind: 'changed', path: 'chains.c.chainId', chain: 'c' }],
    });
    expect(diff({ chains: [...base.chains, d] }, base).live).toEqual([
      { kind: 'removed', path: 'chains.d', chain: 'd' },
    ]);
  });
});

/** What a running process does with a change: takes the named thing from the new configuration. */
const apply = (before: Config, after: Config, changes: readonly Change[]): Config => {
  const next = structuredClone(before) as { chains: ChainConfig[] } & Config;
  const chains = new Map(next.chains.map((chain) => [chain.name, chain]));
  const wanted = new Map(after.chains.map((chain) => [chain.name, chain]));
  for (const { kind, path, chain: name, upstream } of changes) {
    const steps = path.split('.');
    const target = wanted.get(name ?? '');
    const chain = chains.get(name ?? '') as unknown as Record<string, unknown> & { upstreams: { name: string }[] };
    if (name === undefined && steps.length === 2) {
      const [section, key] = steps as ['server', 'port'];
      (next[section] as Record<string, unknown>)[key] = after[section][key];
    } else if (name !== undefined && steps.length === 2) {
      if (kind === 'removed' || target === undefined) chains.delete(name);
      else chains.set(name, target);
    } else if (upstream !== undefined) {
      const others = chain.upstreams.filter((item) => item.name !== upstream);
      chain.upstreams = [...others, ...(target?.upstreams.filter((item) => item.name === upstream) ?? [])];
    } else if (steps.length === 3) {
      const key = steps[2] as 'routing';
      if (target?.[key] === undefined) delete chain[key];
      else chain[key] = target[key];
    }
  }
  const isLeadNew = changes.some(({ path }) => path === 'chains');
  const lead = isLeadNew ? after.chains[0]?.name : before.chains[0]?.name;
  return {
    ...next,
    chains: [...chains.values()].toSorted((a, b) => Number(b.name === lead) - Number(a.name === lead)),
  };
};

test('taking over every change leaves nothing to find', () => {
  const upstreams = (chain: string) =>
    fc
      .uniqueArray(
        fc.record({
          name: fc.constantFrom('a', 'b', 'x', 'y'),
          weight: fc.constantFrom(1, 2),
          tier: fc.constantFrom(0, 1),
        }),
        { minLength: 1, selector: ({ name }) => name },
      )
      .map((list) => list.map((item) => ({ ...item, http: `http://h/${chain}/${item.name}` })));
  const chain = (name: string, chainId: number) =>
    fc
      .record({ name: fc.constant(name), upstreams: upstreams(name), routing: fc.record({ nullRetry: fc.boolean() }) })
      .chain((value) => fc.boolean().map((hasId) => (hasId ? { ...value, chainId } : value)));
  const any = fc.record({
    server: fc.record({ port: fc.constantFrom(0, 1), maxDepth: fc.constantFrom(8, 9) }),
    chains: fc
      .shuffledSubarray(['c', 'd', 'e'], { minLength: 1 })
      .chain((names) => fc.tuple(...names.map((name) => chain(name, name.charCodeAt(0))))),
  });
  fc.assert(
    fc.property(any, any, (a, b) => {
      const [before, after] = [config(a), config(b)];
      const { live, restart } = diffConfig(before, after);
      expect(diffConfig(apply(before, after, [...live, ...restart]), after)).toEqual({ live: [], restart: [] });
    }),
  );
});
