import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { ChainStatus } from '../../src/gateway/status.ts';
import { startLoad } from '../help/load.ts';
import { type Program, builtProgram, runProgram } from '../help/program.ts';
import { ScriptNode } from '../help/scriptNode.ts';

const CALLS_PER_S = 150;
const ROUNDS = 20;
const closers: (() => Promise<unknown>)[] = [];
let folder: string;
let file: string;
let nodes: ScriptNode[];

beforeAll(() => void builtProgram());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-reload-'));
  file = join(folder, 'tidegate.yaml');
  nodes = await Promise.all(Array.from({ length: 4 }, () => ScriptNode.start(() => ({ result: '"0x1"' }))));
  closers.push(() => rm(folder, { recursive: true }), ...nodes.map((node) => () => node.close()));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const at = (index: number): string => (nodes[index] as ScriptNode).httpUrl;

/** The text of a file with these upstreams. */
const yaml = (upstreams: readonly object[], engine: string, extra = ''): string =>
  [
    `server: { port: 0, engine: ${engine} }`,
    `admin: { port: 0, tokenFile: "${join(folder, 'admin.token')}" }`,
    'chains:',
    '  - name: main',
    '    chainId: 1',
    '    upstreams:',
    ...upstreams.map((upstream) => `      - ${JSON.stringify(upstream)}`),
    extra,
  ].join('\n');

const rounds = (): readonly (readonly object[])[] => {
  const [a, b, c] = ['a', 'b', 'c'].map((name, index) => ({ name, http: at(index) }));
  const moved = { name: 'a', http: at(3) };
  return [
    [a, b, c] as object[],
    [{ ...a, weight: 1 }, b, { ...c, weight: 900 }] as object[],
    [{ ...b, headers: { 'x-key': 'k' } }, c] as object[],
    // nobody of before stays
    [moved],
    // nobody is there under this address
    [moved, b, { name: 'nobody', http: 'http://127.0.0.1:9/' }] as object[],
  ];
};

/** What is wrong with a file, and where that is. */
const badFiles = (engine: string): readonly (readonly [text: string, line: number, path: string])[] => {
  const good = yaml(rounds()[0] ?? [], engine);
  return [
    ['chains: [\n', 2, ''],
    [good.replace('"name":"b"', '"name":"b","weigth":3'), 8, 'chains[0].upstreams[1].weigth'],
    [good.replace('"name":"b"', '"name":"a"'), 8, 'chains[0].upstreams[1].name'],
    [good.replace(/"http":"[^"]*"/, '"http":"nowhere"'), 7, 'chains[0].upstreams[0].http'],
    [`${good}\naccess: { keys: [{ name: k, sha256: "${'0'.repeat(64)}", chains: [elsewhere] }] }`, 11, 'access.keys[0].chains[0]'],
  ];
};

interface Running {
  readonly program: Program;
  readonly url: string;
  readonly adminUrl: string;
}

const serve = async (): Promise<Running> => {
  const program = runProgram('serve', '--config', file);
  closers.push(async () => {
    program.kill('SIGKILL');
    await program.ended;
  });
  return { program, ...(await program.listening) };
};

const status = async (adminUrl: string): Promise<ChainStatus | undefined> =>
  ((await (await fetch(`${adminUrl}/api/v1/upstreams`)).json()) as ChainStatus[])[0];
const names = async (adminUrl: string): Promise<string[]> => (await status(adminUrl))?.upstreams.map(({ name }) => name).sort() ?? [];

const post = async (adminUrl: string): Promise<{ status: number; json: { applied?: string[]; problems?: { line: number; path: string }[] } }> => {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${(await readFile(join(folder, 'admin.token'), 'utf8')).trim()}` };
  const answer = await fetch(`${adminUrl}/api/v1/config/reload`, { method: 'POST', headers });
  return { status: answer.status, json: (await answer.json()) as object };
};

const namesOf = (upstreams: readonly object[]): string[] => upstreams.map((upstream) => (upstream as { name: string }).name).sort();

/** Writes the file and lets the process read it: odd rounds by signal, even ones by request. The watch may come first. */
async function reload({ program, adminUrl }: Running, round: number, upstreams: readonly object[], text: string): Promise<void> {
  await writeFile(file, text);
  if (round % 2 === 1) program.kill('SIGHUP');
  else expect((await post(adminUrl)).status).toBe(200);
  await vi.waitFor(async () => expect(await names(adminUrl)).toEqual(namesOf(upstreams)), { timeout: 20_000, interval: 10 });
}

it.each(['uws', 'node'])(
  'on the engine %s 20 reloads under load that add, remove and re-weight cost no call, and bad files change nothing',
  async (engine) => {
    await writeFile(file, yaml(rounds()[0] ?? [], engine));
    const running = await serve();
    const load = startLoad(running.url, CALLS_PER_S, (i) => ['eth_getBalance', [`0x${(0x1000 + i).toString(16).padStart(40, '0')}`, 'latest']]);
    await load.answered(20);
    for (let round = 1; round <= ROUNDS; round++) {
      const upstreams = rounds()[round % rounds().length] ?? [];
      await reload(running, round, upstreams, yaml(upstreams, engine, `    routing: { deadlineMs: ${20_000 + round} }`));
      await load.answered(20);
    }
    const before = await names(running.adminUrl);
    for (const [text, line, path] of badFiles(engine)) {
      await writeFile(file, text);
      const refused = await post(running.adminUrl);
      expect([refused.status, refused.json.problems?.[0]]).toMatchObject([422, { line, path }]);
      const logged = running.program.logged(path === '' ? `tidegate.yaml:${line}:` : path);
      running.program.kill('SIGHUP');
      expect(await logged).toContain('reload refused, nothing is changed');
      expect(await logged).toContain(`tidegate.yaml:${line}:`);
      expect(await names(running.adminUrl)).toEqual(before);
      await load.answered(10);
    }
    const report = await load.stop();
    expect(report.errors).toEqual({});
    expect(report.calls).toBeGreaterThan(ROUNDS * 20);
  },
);
