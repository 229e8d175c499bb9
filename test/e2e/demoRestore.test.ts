import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type Program, runProgram } from '../help/program.ts';
import { rpc } from '../help/client.ts';

const running: Program[] = [];
afterEach(async () => {
  for (const program of running.splice(0)) {
    program.kill('SIGINT');
    await program.ended;
  }
});

interface Node {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
}

/** What the greeting says. */
const greeted = async (program: Program): Promise<{ readonly nodes: readonly Node[]; readonly dir: string }> => {
  const [nodes, data] = await Promise.all([
    Promise.all([1, 2, 3].map((i) => program.logged(`  anvil-${i}  pid `))),
    program.logged('Data of the nodes, and snapshots: '),
  ]);
  const parsed = nodes.map((line) => line.trim().split(/\s+/)).map(([name = '', , pid, url = '']) => ({ name, pid: Number(pid), url }));
  return { nodes: parsed, dir: data.split(': ')[1] ?? '' };
};

test('a node of `npm start` whose data is deleted, and one whose data is damaged, are restored from the newest proven snapshot; no client sees an error', async () => {
  const program = runProgram('demo', '--port', '0', '--admin-port', '0', '--block-time', '1s');
  running.push(program);
  const told = greeted(program);
  const captured = program.logged(': capture ok: ');
  const { url } = await program.listening;
  const { nodes, dir } = await told;
  const [first, , third] = nodes;
  if (first === undefined || third === undefined) throw new Error('three nodes are expected');
  expect(await captured).toMatch(/full snapshot [0-9a-f]+ of block \d+, \d+ bytes of which \d+ are new in the store, proven: L0 L1 L2 L3 L4 L5 L6/);
  let failed = 0;
  let calls = 0;
  let isOver = false;
  const client = (async () => {
    for (; !isOver; calls++) {
      await rpc<string>(url, 'eth_getBalance', [`0x${calls.toString(16).padStart(40, '0')}`, 'latest']).catch(() => failed++);
      await wait(20);
    }
  })();
  const heal = async (victim: Node, pid: number, damage: (folder: string) => void): Promise<string> => {
    const healed = program.logged(`${victim.name}: healed by a `);
    process.kill(pid, 'SIGKILL');
    damage(join(dir, victim.name));
    return healed;
  };
  const lost = await heal(first, first.pid, (folder) => rmSync(folder, { recursive: true, force: true }));
  expect(lost).toMatch(/healed by a restore within \d+\.\d s: a state file is gone from its data directory/);
  const damaged = await heal(third, third.pid, (folder) => writeFileSync(join(folder, 'state.json'), '{ "damaged'));
  expect(damaged).toMatch(/healed by a restore within \d+\.\d s: .*failed to parse json file/);
  isOver = true;
  await client;
  expect([calls > 100, failed]).toEqual([true, 0]);
  const hashes = await Promise.all(nodes.map(({ url: node }) => rpc<{ hash: string }>(node, 'eth_getBlockByNumber', ['0x2', false])));
  expect(new Set(hashes.map(({ hash }) => hash)).size).toBe(1);
});
