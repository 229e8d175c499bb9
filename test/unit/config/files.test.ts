import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { DEFAULTS } from '../../../src/config/defaults.ts';
import { effectiveText } from '../../../src/config/effective.ts';
import { parseConfig } from '../../../src/config/parse.ts';
import type { Config } from '../../../src/config/schema.ts';
import { isKin } from '../../../src/proof/kin.ts';
import { inputSchema, type JsonSchema, schemaText } from '../../../src/config/schemaJson.ts';

const file = (name: string) => readFileSync(new URL(`../../../config/${name}`, import.meta.url), 'utf8');
const load = (text: string, env = {}): Config => {
  const result = parseConfig(text, env);
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 1));
  return result.config;
};

/** Every option of the schema; lists of mappings without index. */
const options = (schema: JsonSchema, path = ''): { path: string; schema: JsonSchema }[] =>
  Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return [{ path: here, schema: child }, ...options(child.items ?? child, here)];
  });

const keys = (value: unknown, path = ''): string[] => {
  if (Array.isArray(value)) return value.flatMap((item) => keys(item, path));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return [here, ...keys(item, here)];
  });
};

describe('reference.yaml', () => {
  const text = file('reference.yaml');

  test('shows the defaults and nothing else', () => {
    const { chain, upstream, accessKey, node, ...rest } = DEFAULTS;
    expect(load(text)).toEqual({
      ...rest,
      access: { ...rest.access, keys: [{ ...accessKey, name: 'app', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }] },
      nodes: [
        {
          ...node,
          name: 'own-1',
          chain: 'ethereum',
          upstream: 'a',
          httpPort: 18_545,
          wsPort: 18_546,
          dataDir: '/var/lib/ethereum/own-1',
          command: '/usr/bin/geth',
          args: [],
          trialArgs: [],
          env: {},
          image: 'ethereum/geth',
        },
      ],
      chains: [
        {
          ...chain,
          name: 'ethereum',
          chainId: 1,
          upstreams: [
            { ...upstream, name: 'a', http: 'http://127.0.0.1:18545', ws: 'ws://127.0.0.1:18545', headers: {} },
          ],
        },
      ],
    });
  });

  test('has every option of the schema', () => {
    const shown = new Set(keys(parseYaml(text)));
    expect(
      options(inputSchema())
        .map(({ path }) => path)
        .filter((path) => !shown.has(path)),
    ).toEqual([]);
  });
});

describe('examples', () => {
  test('minimal.yaml gives the defaults', () => {
    const config = load(file('minimal.yaml'));
    expect(config.server).toEqual(DEFAULTS.server);
    expect(config.chains[0]?.health).toEqual(DEFAULTS.chain.health);
    expect(config.chains[0]?.routing).toEqual(DEFAULTS.chain.routing);
  });

  test('mainnet.yaml has a provider behind two own nodes, its key from the environment', () => {
    const config = load(file('mainnet.yaml'), { PROVIDER_KEY: '1234' });
    expect(config.chains[0]?.upstreams.map(({ name, tier }) => [name, tier])).toEqual([
      ['geth', 0],
      ['reth', 0],
      ['provider', 1],
    ]);
    expect(config.chains[0]?.upstreams[2]?.headers).toEqual({ authorization: 'Bearer 1234' });
    expect(parseConfig(file('mainnet.yaml'), {})).toMatchObject({
      ok: false,
      problems: [{ message: 'environment variable PROVIDER_KEY is not set' }],
    });
  });
});

describe('pool.yaml', () => {
  const config = load(file('pool.yaml'));

  test('has three kept nodes, captures by schedule, and a checkpoint', () => {
    expect(config.nodes.map(({ name, upstream }) => upstream ?? name)).toEqual(config.chains[0]?.upstreams.map(({ name }) => name));
    expect([config.snapshots.capture.enabled, config.snapshots.everyMs, config.chains[0]?.snapshots.levels.includes('L2')]).toEqual([true, 21_600_000, true]);
    expect(config.chains[0]?.snapshots.checkpoints).toEqual(['22431084:0x50c8cab760b2948349c590461b166773c45d8f4858cccf5a43025ab2960152e8']);
  });

  test('needs its checkpoint once two of its nodes are copies: who is left to vouch after each restore', () => {
    const names = config.nodes.map(({ name }) => name);
    const left = (origins: Record<string, string[]>): string[][] => names.map((source) => names.filter((other) => !isKin(source, other, new Map(Object.entries(origins)))));
    const [a = '', b = '', c = ''] = names;
    expect(left({})).toEqual([[b, c], [a, c], [a, b]]);
    expect(left({ [b]: [a] })).toEqual([[c], [c], [a, b]]);
    expect(left({ [b]: [a], [c]: [a] })).toEqual([[], [], []]);
  });
});

describe('tidegate.schema.json', () => {
  test('is what the schema generates', () => expect(file('tidegate.schema.json')).toBe(schemaText()));

  test.each(options(inputSchema()))('$path is described, its unit in its name', ({ path, schema }) => {
    expect(schema.description).toMatch(/^[A-Z].*\.$/);
    const accepts = (text: string) =>
      schema.anyOf?.some(({ pattern }) => typeof pattern === 'string' && new RegExp(pattern).test(text)) === true;
    expect(accepts('5m')).toBe(/(Ms|[a-z]S)$/.test(path) && !path.endsWith('PerS'));
    expect(accepts('5MiB')).toBe(path.endsWith('Bytes'));
  });
});

describe('effective configuration', () => {
  test('reads back as itself', () => {
    for (const name of ['reference.yaml', 'minimal.yaml']) {
      const config = load(file(name));
      expect(load(effectiveText(config))).toEqual(config);
    }
  });

  test('holds no secret', () => {
    const text = effectiveText(
      load(
        `chains: [{ name: c, upstreams: [{ name: a, http: "https://user:s3cret@h.example:8443/v2/s3cret?k=s3cret", ws: "wss://h.example/s3cret", headers: { authorization: s3cret } }] }]`,
      ),
    );
    expect(text).not.toContain('s3cret');
    expect(text).not.toContain('user');
    expect(text).toContain('http: https://***@h.example:8443/***?***');
    expect(text).toContain('authorization: "***"');
  });
});
