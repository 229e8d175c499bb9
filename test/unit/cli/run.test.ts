import { beforeEach, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { runCli } from '../../../src/cli/run.ts';
import { makePair, TlsFiles } from '../../help/tls.ts';
import { TestParts, TestWorld } from '../../help/cliWorld.ts';

let world: TestWorld;
let parts: TestParts;
beforeEach(() => {
  world = new TestWorld();
  parts = new TestParts();
});

const run = (line: string) => runCli(line.split(' '), world, parts);
const minimal = 'chains: [{ name: c, upstreams: [{ name: a, http: "http://h.example/s3cret" }] }]\n';

describe('words', () => {
  test('version, schema, help', async () => {
    expect(await run('version')).toBe(0);
    expect(world.outLines).toEqual(['tidegate 1.2.3']);
    expect(await run('schema')).toBe(0);
    expect(JSON.parse(world.outLines.slice(1).join('\n'))).toMatchObject({ title: 'Tidegate configuration' });
  });

  test('help names every command, and each command every option', async () => {
    expect(await run('help')).toBe(0);
    for (const [name, { options }] of Object.entries(COMMANDS)) {
      expect(world.outLines.join('\n')).toMatch(new RegExp(`^  ${name} `, 'm'));
      const own = new TestWorld();
      expect(await runCli(['help', name], own, parts)).toBe(0);
      for (const option of Object.keys(options)) expect(own.outLines.join('\n')).toContain(`--${option} `);
    }
  });

  test('a wrong command line exits with 2 and says where help is', async () => {
    expect(await run('serve --prot 1')).toBe(2);
    expect(world.errLines).toEqual([
      'tidegate: unknown option --prot (did you mean --port?)',
      '`tidegate help serve` says what can be given.',
    ]);
    expect(world.outLines).toEqual([]);
  });
});

describe('check', () => {
  test('prints the effective configuration without secrets', async () => {
    world.files.set('a.yaml', minimal);
    expect(await run('check a.yaml')).toBe(0);
    expect(world.outLines).toContain('  bodyTimeoutMs: 10s');
    expect(world.outLines.join()).not.toContain('s3cret');
  });

  test('prints each problem on a line', async () => {
    world.files.set('a.yaml', 'server: { prot: 1 }\nchains: []\n');
    expect(await run('check a.yaml')).toBe(1);
    expect(world.outLines).toEqual([
      'a.yaml:1:11 server.prot: unknown key (did you mean port?)',
      'a.yaml:2:9 chains: needs at least one chain',
    ]);
  });

  test('files of server.tls that cannot be served with, without what is in them', async () => {
    const files = await TlsFiles.make();
    const { certFile, keyFile } = files.tls;
    world.files.set('a.yaml', `server: { tls: ${JSON.stringify({ certFile, keyFile, passphrase: 's3same' })} }\n${minimal}`);
    expect(await run('check a.yaml')).toBe(0);
    expect(world.outLines).toContain('    passphrase: "***"');
    files.write('keyFile', (await makePair()).key);
    expect(await run('check a.yaml')).toBe(1);
    expect(world.outLines.at(-1)).toBe(`a.yaml: server.tls.keyFile: ${keyFile}: is not the key of the certificate in ${certFile}`);
    files.put(await makePair(-1000));
    expect(await run('check a.yaml')).toBe(1);
    expect(world.outLines.at(-1)).toMatch(/certFile: .*tls\.crt: the certificate has expired on 20/);
    files.remove();
    expect(await run('check a.yaml')).toBe(1);
    expect(world.outLines.at(-1)).toBe(`a.yaml: server.tls.certFile: ${certFile}: cannot be read: no such file`);
  });

  test('a file that is not there', async () => {
    expect(await run('check b.yaml')).toBe(1);
    expect(world.outLines).toEqual(['b.yaml: cannot be read: no such file']);
  });
});

describe('serve', () => {
  test('upstreams without a file: one chain, its id unknown', async () => {
    const exit = run('serve --upstream http://a --upstream http://b --port 0 --engine node --host 0.0.0.0');
    await parts.started;
    world.signal();
    expect(await exit).toBe(0);
    const [config] = parts.configs;
    expect(config?.server).toMatchObject({ port: 0, engine: 'node', host: '0.0.0.0' });
    expect(config?.chains).toHaveLength(1);
    expect(config?.chains[0]).toMatchObject({
      name: 'default',
      upstreams: [
        { name: 'upstream-1', http: 'http://a' },
        { name: 'upstream-2', http: 'http://b' },
      ],
    });
    expect(config?.chains[0]).not.toHaveProperty('chainId');
    expect(parts.events).toEqual(['gateway starts', 'gateway closes within its own time']);
    expect(world.listeners.size).toBe(0);
  });

  test('a file, its placeholders, and options over it', async () => {
    world.env.LEVEL = 'debug';
    world.files.set('a.yaml', `${minimal}log: { level: "\${LEVEL}" }\nserver: { port: 1, maxDepth: 9 }\n`);
    const exit = run('serve --config a.yaml --port 2 --admin-port 3');
    await parts.started;
    world.signal();
    expect(await exit).toBe(0);
    expect(parts.configs[0]).toMatchObject({ server: { port: 2, maxDepth: 9 }, admin: { port: 3 } });
    expect(parts.logLevels).toEqual(['debug']);
  });

  test.each([
    ['serve --upstream ftp://u:s3cret@h', 'command line: chains[0].upstreams[0].http: must be a http or https URL'],
    [
      'serve --upstream http://a --upstream http://a',
      'command line: chains[0].upstreams[1].http: is the same URL as chains[0].upstreams[0].http',
    ],
    [
      'serve --upstream http://a --engine usw',
      'command line: server.engine: must be one of auto, uws, node (did you mean uws?)',
    ],
    [
      'serve --upstream http://a --port 5 --admin-port 5',
      'command line: admin.port: server.port and admin.port are the same',
    ],
    ['serve --config a.yaml', 'a.yaml: cannot be read: no such file'],
  ])('%s', async (line, message) => {
    expect(await run(line)).toBe(1);
    expect(world.errLines).toEqual([message]);
    expect(parts.events).toEqual([]);
  });

  test('a gateway that cannot start', async () => {
    parts.gatewayFault = new Error('cannot listen on 127.0.0.1:8545: the port is in use');
    expect(await run('serve --upstream http://a')).toBe(1);
    expect(world.errLines).toEqual(['tidegate: cannot listen on 127.0.0.1:8545: the port is in use']);
    expect(world.listeners.size).toBe(0);
  });

  test('a second signal ends it at once', async () => {
    parts.closeGateway = () => new Promise(() => {});
    const exit = run('serve --upstream http://a');
    await parts.started;
    world.signal();
    world.signal();
    expect(await exit).toBe(1);
  });

  test('a signal before it runs closes it as soon as it does', async () => {
    const exit = run('serve --upstream http://a');
    await new Promise((resolve) => setImmediate(resolve));
    world.signal();
    expect(await exit).toBe(0);
    expect(parts.events).toEqual(['gateway starts', 'gateway closes within its own time']);
  });

  test('a gateway that fails to close', async () => {
    parts.closeGateway = () => Promise.reject(new Error('stuck'));
    const exit = run('serve --upstream http://a');
    await parts.started;
    world.signal();
    expect(await exit).toBe(1);
    expect(world.errLines).toEqual(['tidegate: stuck']);
  });
});

describe('demo', () => {
  const net = 'net starts: {"chain":"demo","chainId":31337,"blockTimeMs":500,"edge":{"url":"http://127.0.0.1:2222","tokenFile":".tidegate/admin.token"},"controllerPort":9546}';

  test('says what runs and what to try, then closes gateway before nodes', async () => {
    const exit = run('demo --port 0 --block-time 500ms');
    await parts.started;
    const text = world.outLines.join('\n');
    expect(text).toContain("curl -s http://127.0.0.1:1111 -H 'content-type: application/json' -d '{");
    expect(text).toContain('kill -9 4242');
    expect(text).toContain('http://127.0.0.1:2222/metrics');
    expect(text).toContain('a block every 500ms');
    world.signal();
    expect(await exit).toBe(0);
    expect(parts.events).toEqual(['gateway starts', net, 'gateway closes within 2000', 'net closes']);
    expect(text).toContain('http://127.0.0.1:3333/api/v1/journal');
    expect(parts.configs[0]).toMatchObject({
      server: { port: 0 },
      chains: [
        {
          chainId: 31_337,
          blockTimeMs: 500,
          methods: { dev: true },
          upstreams: [{ http: 'http://127.0.0.1:1', ws: 'ws://127.0.0.1:1' }, {}, {}],
        },
      ],
    });
  });

  test('a busy port starts nothing', async () => {
    parts.gatewayFault = new Error('the port is in use');
    expect(await run('demo --block-time 500ms')).toBe(1);
    expect(parts.events).toEqual([]);
    expect(world.errLines).toEqual(['tidegate: the port is in use']);
  });

  test('nodes that do not come up close the gateway', async () => {
    parts.netFault = new Error('none of 3 nodes answered');
    expect(await run('demo --block-time 500ms')).toBe(1);
    expect(parts.events).toEqual(['gateway starts', net, 'gateway closes within 0']);
    expect(world.errLines).toEqual(['tidegate: none of 3 nodes answered']);
  });

  test('tells what the controller did, and how long it took', async () => {
    const exit = run('demo');
    await parts.started;
    const entry = { at: '', chain: 'demo', node: 'n1', kind: 'operation', what: 'start', why: 'it was ended by SIGKILL; back', outcome: 'ok', durationMs: 6015 } as const;
    parts.onEntry(entry);
    parts.onEntry({ ...entry, kind: 'step' });
    parts.onEntry({ ...entry, kind: 'human', why: 'its port is taken; a human is called' });
    expect(world.outLines.slice(-2)).toEqual(['n1: healed by a start within 6.0 s: it was ended by SIGKILL; back', 'n1: its port is taken; a human is called']);
    world.signal();
    expect(await exit).toBe(0);
  });

  test('nodes are closed even when the gateway cannot be', async () => {
    parts.closeGateway = () => Promise.reject(new Error('stuck'));
    const exit = run('demo');
    await parts.started;
    world.signal();
    expect(await exit).toBe(1);
    expect(parts.events.at(-1)).toBe('net closes');
  });
});
