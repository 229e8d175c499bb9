import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ParseResult, parseConfig } from '../../../src/config/parse.ts';
import { type Problem, problemText } from '../../../src/config/problem.ts';

const node = (extra = '') =>
  `chains:\n  - name: c\n    upstreams:\n      - name: a\n        http: http://127.0.0.1:1\n${extra}`;

const problems = (result: ParseResult): readonly Problem[] => (result.ok ? [] : result.problems);
const config = (text: string, env = {}) => {
  const result = parseConfig(text, env);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
};
const lines = (text: string, env = {}) => problems(parseConfig(text, env)).map((problem) => problemText(problem, 'f'));

describe('values', () => {
  test('units, numbers and defaults', () => {
    const { server, chains } = config(
      `server: { bodyTimeoutMs: 1.5s, keepAliveTimeoutMs: 250, maxBodyBytes: 64KiB, cors: { maxAgeS: 5m } }\n${node()}`,
    );
    expect(server).toMatchObject({
      bodyTimeoutMs: 1500,
      keepAliveTimeoutMs: 250,
      maxBodyBytes: 65_536,
      cors: { maxAgeS: 300, origins: ['*'] },
    });
    expect(chains[0]?.upstreams[0]).toMatchObject({ name: 'a', weight: 100, tier: 0 });
    expect(Object.hasOwn(chains[0] ?? {}, 'chainId')).toBe(false);
  });

  test('anchors and aliases share a section', () => {
    const { chains } = config(`chains:
  - { name: c, upstreams: [{ name: a, http: "http://h:1" }], health: &h { upAfter: 7 } }
  - { name: d, upstreams: [{ name: a, http: "http://h:2" }], health: *h }`);
    expect(chains.map(({ health }) => health.upAfter)).toEqual([7, 7]);
  });

  test('two configurations share no list or mapping', () => {
    expect(config(node()).server.cors.origins).not.toBe(config(node()).server.cors.origins);
  });
});

describe('problems', () => {
  test('all at once, in the order of the text, with place and suggestion', () => {
    const text = `server:
  prot: 1
  maxBodySize: 1
  port: 99999
  engine: usw
  bodyTimeout: 5s
  maxHeaderBytes: 64kb
  keepAliveTimeoutMs: soon
  cors: { maxAgeS: 1500ms }
admin:
chains:
  - name: Evm
    deadlineMs: 4s
    upstreams:
      - htp: x
        http: ftp://h
        headers: { Host: a, "b c": d }
      - { name: b, http: "http://h/#f", weight: -1, tier: 10, capabilities: { archive: maybe } }
    routing: { hedge: { quantile: 1 } }
    health: { trustedHead: { quorum: 0 } }
`;
    expect(lines(text)).toEqual([
      'f:2:3 server.prot: unknown key (did you mean port?)',
      'f:3:3 server.maxBodySize: unknown key (did you mean maxBodyBytes?)',
      'f:4:9 server.port: must be a whole number from 0 to 65535',
      'f:5:11 server.engine: must be one of auto, uws, node (did you mean uws?)',
      'f:6:3 server.bodyTimeout: unknown key (did you mean bodyTimeoutMs?)',
      'f:7:19 server.maxHeaderBytes: must be a size from 256B to 1MiB, such as 64KiB or 5MiB',
      'f:8:23 server.keepAliveTimeoutMs: must be a duration from 1ms to 24h, such as 500ms, 10s or 5m',
      'f:9:20 server.cors.maxAgeS: must be a duration from 0 to 24h in whole seconds, such as 10s or 5m',
      'f:10:7 admin: is empty: give it a value or leave the key out',
      'f:12:11 chains[0].name: must be 1 to 63 lower-case letters, digits, dashes or underscores',
      'f:13:5 chains[0].deadlineMs: unknown key (did you mean chains[].routing.deadlineMs?)',
      'f:15:9 chains[0].upstreams[0].name: is required',
      'f:15:9 chains[0].upstreams[0].htp: unknown key (did you mean http?)',
      'f:16:15 chains[0].upstreams[0].http: must be a http or https URL',
      'f:17:20 chains[0].upstreams[0].headers.Host: is written by the gateway itself and cannot be set',
      'f:17:29 chains[0].upstreams[0].headers.b c: is not a header name',
      'f:18:26 chains[0].upstreams[1].http: must not have a fragment (#…)',
      'f:18:49 chains[0].upstreams[1].weight: must be a whole number from 0 to 10000',
      'f:18:59 chains[0].upstreams[1].tier: must be a whole number from 0 to 9',
      'f:18:88 chains[0].upstreams[1].capabilities.archive: must be auto, true or false',
      'f:19:35 chains[0].routing.hedge.quantile: must be a number between 0 and 1, both excluded',
      'f:20:38 chains[0].health.trustedHead.quorum: must be auto or a whole number from 1 to 256',
    ]);
  });

  test.each([
    ['', 'f:1:1 the text is empty: at least chains is required'],
    ['# nothing', 'f:1:1 the text is empty: at least chains is required'],
    ['chains: []', 'f:1:9 chains: needs at least one chain'],
    ['server: {}', 'f:1:1 chains: is required'],
    ['just text', 'f:1:1 must be a mapping'],
    ['a: 1\na: 2', 'f:2:1 the key occurs twice'],
    ['a:\n\tb: 1', 'f:2:1 Tabs are not allowed as indentation'],
    ['a: 1\n---\nb: 1', 'f:2:1 the text holds more than one document'],
    ['a: *nope', 'f:1:1 Unresolved alias (the anchor must be set before the alias): nope'],
    ['a: !!js/function x', 'f:1:4 Unresolved tag: tag:yaml.org,2002:js/function'],
    ['<<: { a: 1 }', 'f:1:1 <<: merge keys (<<) are not supported'],
    ['__proto__: { polluted: 1 }', 'f:1:1 __proto__: unknown key'],
  ])('%j', (text, line) => expect(lines(text)).toContain(line));

  test('right parts are still related when others are wrong', () => {
    expect(lines(`server: { port: 9545, engine: x }\n${node()}`)).toEqual([
      'f:1:17 server.port: server.port and admin.port are the same',
      'f:1:31 server.engine: must be one of auto, uws, node',
    ]);
  });

  test('no more than a hundred are listed, and the rest counted', () => {
    const list = lines(`${node()}${Array.from({ length: 150 }, (_, n) => `zz${n}: 1`).join('\n')}`);
    expect(list).toHaveLength(101);
    expect(list.at(-1)).toBe('f: 50 more problems');
  });
});

describe('placeholders', () => {
  const url = (text: string) => `chains:\n  - name: c\n    upstreams:\n      - name: a\n        http: ${text}\n`;

  test('text, default, number, truth value, literal', () => {
    const text = `server: { port: "\${PORT}", refuseChunked: "\${R:-true}", bodyTimeoutMs: "\${T}" }
${url(`http://h/\${KEY}/\${NONE:-x}/$\${y}`)}        headers: { k: "\${DIGITS}" }`;
    const { server, chains } = config(text, { PORT: '81', T: '2s', KEY: 'k', DIGITS: '12345' });
    expect(server).toMatchObject({ port: 81, refuseChunked: true, bodyTimeoutMs: 2000 });
    expect(chains[0]?.upstreams[0]).toMatchObject({ http: `http://h/k/x/\${y}`, headers: { k: '12345' } });
  });

  test('a value cannot become YAML', () => {
    const { chains } = config(`${url('http://h')}        headers: { k: "\${X}" }`, { X: 'a: [b, {c: d' });
    expect(chains[0]?.upstreams[0]?.headers).toEqual({ k: 'a: [b, {c: d' });
  });

  test.each([
    [`\${NOPE}`, 'environment variable NOPE is not set'],
    [`\${EMPTY}`, `environment variable EMPTY is empty; write \${EMPTY:-} if that is meant`],
    [`\${toString}`, 'environment variable toString is not set'],
    [`\${1A}`, `has a placeholder that is not \${NAME} or \${NAME:-default}; write $\${ for a literal \${`],
    [`\${OPEN`, `has a placeholder that is not \${NAME} or \${NAME:-default}; write $\${ for a literal \${`],
    [`\${A:-\${B}}`, 'has a placeholder inside the default of A'],
  ])('%s is refused by name', (text, message) => {
    expect(lines(url(text), { EMPTY: '' })).toEqual([`f:5:15 chains[0].upstreams[0].http: ${message}`]);
  });

  test('no value of the environment is in any problem', () => {
    const secret = 'hunter2secret';
    const text = `server: { host: "\${S} ", port: "\${S}", engine: "\${S}", bodyTimeoutMs: "\${S}", maxBodyBytes: "\${S}" }
chains:
  - { name: "\${S}!", upstreams: [{ name: "\${S}/", http: "\${S}", ws: "ws://\${S}#f", headers: { a: "\${S}\\n" } }] }`;
    const found = problems(parseConfig(text, { S: secret }));
    expect(found.length).toBeGreaterThanOrEqual(9);
    expect(JSON.stringify(found)).not.toContain(secret);
  });

  test('growth is limited', () => {
    expect(lines(url(`\${A}`.repeat(100)), { A: 'x'.repeat(60_000) })[0]).toMatch(
      /is longer than 65536 characters once expanded/,
    );
  });
});

describe('hostile texts are refused quickly', () => {
  const bomb = Array.from(
    { length: 9 },
    (_, n) =>
      `a${n}: &a${n} [${Array<string>(9)
        .fill(n === 0 ? 'x' : `*a${n - 1}`)
        .join(',')}]`,
  ).join('\n');
  test.each([
    ['alias bomb', bomb, /aliases \(\*name\) expand to too much/],
    ['deep brackets', '['.repeat(100_000), /brackets are nested deeper than 64/],
    ['deep mappings', '{a: '.repeat(5000), /brackets are nested deeper than 64/],
    ['deep dashes', '- '.repeat(50_000), /lists are nested deeper/],
    ['explicit keys', '? '.repeat(3000), /nested deeper|explicit keys/],
    ['explicit keys on lines', Array.from({ length: 60 }, (_, n) => `${' '.repeat(n)}? a`).join('\n'), /explicit keys/],
    ['long text', '#'.repeat(300_000), /longer than 262144/],
    ['stairs', Array.from({ length: 128 }, (_, n) => `${' '.repeat(30 * n)}${'- '.repeat(15)}a:`).join('\n'), /./],
  ])('%s', (_, text, message) => expect(lines(text)[0]).toMatch(message));

  test('any text gives a configuration or problems', () => {
    const token = fc.constantFrom(
      'chains:',
      '- ',
      '\n',
      '  ',
      'name: ',
      'a',
      '{',
      '}',
      '[',
      ']',
      '&x ',
      '*x',
      '"',
      "'",
      '|',
      '>',
      '? ',
      ': ',
      `\${A}`,
      '!!map ',
      '#',
      '\t',
      '%',
      '~',
      'null',
      '1',
      'http: http://h',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (tokens) => {
        const result = parseConfig(tokens.join(''), {});
        expect(result.ok || result.problems.length > 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
