import { describe, expect, test } from 'vitest';
import { diffConfig } from '../../../src/config/diff.ts';
import { configFromValue } from '../../../src/config/parse.ts';
import { problemText } from '../../../src/config/problem.ts';

const HASH = 'ab'.repeat(32);
const chains = [{ name: 'main', upstreams: [{ name: 'a', http: 'http://h' }] }];
const key = (extra: object = {}) => ({ name: 'app', sha256: HASH, ...extra });
const lines = (access: object) => {
  const result = configFromValue({ chains, access });
  return result.ok ? [] : result.problems.map((problem) => problemText(problem, ''));
};

describe('access', () => {
  test('is off by default', () => {
    const result = configFromValue({ chains });
    expect(result).toMatchObject({
      ok: true,
      config: { access: { required: false, keys: [], perIp: { callsPerS: 0, maxInFlight: 0 } } },
    });
  });

  test('a key is everything it may be', () => {
    const full = key({ chains: ['main'], methods: { allow: ['eth_*'], deny: ['eth_getLogs'] }, rate: { unitsPerS: 1, burst: 2 } });
    expect(lines({ keys: [full], required: true, perIp: { callsPerS: 0.5 } })).toEqual([]);
  });

  test.each([
    [{ keys: [key(), key({ sha256: 'cd'.repeat(32) })] }, 'access.keys[1].name: is the same name as access.keys[0].name'],
    [
      { keys: [key(), key({ name: 'b', sha256: HASH.toUpperCase() })] },
      'access.keys[1].sha256: is the same key as access.keys[0].sha256',
    ],
    [{ keys: [key({ chains: ['mian'] })] }, 'access.keys[0].chains[0]: names no chain (did you mean main?)'],
    [{ keys: [key({ sha256: 'secret' })] }, 'access.keys[0].sha256: must be 64 hex digits'],
    [{ keys: [key({ sha256: 12 })] }, 'access.keys[0].sha256: must be 64 hex digits in quotes'],
    [{ keys: [key({ key: 'secret' })] }, 'access.keys[0].key: unknown key'],
    [
      { keys: [key({ methods: { allow: ['eth_call'], deny: ['eth_call'] } })] },
      'access.keys[0].methods.deny[0]: is both in allow and in deny',
    ],
    [{ keys: [key({ rate: { burst: 5 } })] }, 'access.keys[0].rate.burst: has no effect without a rate beside it'],
    [{ perIp: { burst: 5 } }, 'access.perIp.burst: has no effect without a rate beside it'],
    [{ perIp: { maxTracked: 0 } }, 'access.perIp.maxTracked: must be a whole number from 1 to 1000000'],
  ])('%j', (access, line) => expect(lines(access)).toEqual([`: ${line}`]));

  test('changes are taken over live', () => {
    const config = (access: object) => {
      const result = configFromValue({ chains, access });
      if (!result.ok) throw new Error('refused');
      return result.config;
    };
    expect(diffConfig(config({}), config({ keys: [key()], required: true }))).toEqual({
      live: [
        { kind: 'changed', path: 'access.required' },
        { kind: 'changed', path: 'access.keys' },
      ],
      restart: [],
    });
  });
});
