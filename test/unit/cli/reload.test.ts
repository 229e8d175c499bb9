import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../../src/cli/run.ts';
import { watchFile } from '../../../src/edge/watchFile.ts';
import { TestParts, TestWorld } from '../../help/cliWorld.ts';

const yaml = (weight: number): string => `chains: [{ name: c, upstreams: [{ name: a, http: "http://h.example/s3cret", weight: ${weight} }] }]\n`;

test('a hangup and a change of the file reload it; a bad file changes nothing and is told with its places', async () => {
  const world = new TestWorld();
  const parts = new TestParts();
  world.files.set('a.yaml', yaml(1));
  const ended = runCli('serve --config a.yaml'.split(' '), world, parts);
  await parts.started;
  world.files.set('a.yaml', yaml(2));
  world.hangup();
  await parts.logged(1);
  world.files.set('a.yaml', 'server: { prot: 1 }\nchains: []\n');
  world.change('a.yaml');
  await parts.logged(3);
  world.files.set('a.yaml', yaml(3));
  world.change('a.yaml');
  await parts.logged(4);
  expect(parts.reloads.map(({ chains }) => chains[0]?.upstreams[0]?.weight)).toEqual([2, 3]);
  expect(parts.logLines.slice(1, 3)).toEqual([
    'reload refused, nothing is changed: a.yaml:1:11 server.prot: unknown key (did you mean port?)',
    'reload refused, nothing is changed: a.yaml:2:9 chains: needs at least one chain',
  ]);
  expect(parts.logLines.join()).not.toContain('s3cret');
  world.signal();
  expect(await ended).toBe(0);
  expect([world.hangups.size, world.watched.size]).toEqual([0, 0]);
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a file is followed through writes and through renames over it', async () => {
  const file = join(folder, 'c.yaml');
  await writeFile(file, '1');
  let seen: () => void = () => undefined;
  const stop = watchFile(file, () => seen(), (reason) => expect.fail(reason));
  const change = (): Promise<void> => new Promise((resolve) => (seen = resolve));
  for (const round of ['2', '3']) {
    const written = change();
    await writeFile(file, round);
    await written;
    const renamed = change();
    await writeFile(`${file}.new`, round);
    await rename(`${file}.new`, file);
    await renamed;
  }
  stop();
});

test('a folder that is not there is told', () => {
  const faults: string[] = [];
  watchFile(join(folder, 'no', 'c.yaml'), () => undefined, (reason) => faults.push(reason))();
  expect(faults).toEqual(['ENOENT']);
});
