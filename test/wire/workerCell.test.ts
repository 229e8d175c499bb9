import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { CellFile } from '../../src/gateway/workers/cellFile.ts';
import { builtProgram } from '../help/program.ts';

const word = (number: number): string => `0x${number.toString(16).padStart(64, '0')}`;
const mark = (number: number) => ({
  epoch: Math.floor(number / 10),
  head: { number, hash: word(number), parentHash: word(number - 1), timestampS: number },
  finalized: { number: number - 1, hash: word(number - 1) },
  blockTimeMs: 1000 + number,
});

/** Reads the cell whenever it is asked to, or without a pause until it has seen `until`; tells what it saw that cannot be. */
const READER = `
  const { cellSource } = await import(process.argv[1]);
  const { ReplicaView } = await import(process.argv[2]);
  const view = new ReplicaView(16, cellSource(3, Number(process.argv[3])));
  const seen = () => ({ number: view.head?.number ?? -1, hash: view.head?.hash, epoch: view.epoch, blockTimeMs: view.blockTimeMs });
  process.on('message', ({ until }) => {
    let last = -1, reads = 0, wrong = 0;
    do {
      view.refresh();
      reads++;
      const now = seen();
      if (now.number < last) wrong++;
      if (now.number >= 0 && (now.hash !== '0x' + now.number.toString(16).padStart(64, '0') || now.epoch !== Math.floor(now.number / 10) || now.blockTimeMs !== 1000 + now.number)) wrong++;
      last = now.number;
    } while (until !== undefined && last < until);
    process.send({ ...seen(), reads, wrong });
  });
  process.send('ready');
`;

const children: ChildProcess[] = [];
let built: string;
beforeAll(() => {
  built = dirname(builtProgram());
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Seen {
  readonly number: number;
  readonly reads: number;
  readonly wrong: number;
}

/** Another process that has the file open. */
async function reader(cells: CellFile, cell: number): Promise<(until?: number) => Promise<Seen>> {
  const modules = [join(built, 'gateway', 'workers', 'cellFile.js'), join(built, 'chain', 'replicaView.js')];
  const child = spawn(process.execPath, ['--input-type=module', '-e', READER, ...modules, String(cell)], { stdio: ['ignore', 'inherit', 'inherit', cells.fd, 'ipc'] });
  children.push(child);
  const next = (): Promise<Seen> => new Promise((resolve) => child.once('message', (message) => resolve(message as Seen)));
  await next();
  return (until) => {
    const answer = next();
    child.send(until === undefined ? {} : { until });
    return answer;
  };
}

it('two processes that answer in turn never show an older head than the other did, though nobody sends them a message', async () => {
  const cells = new CellFile();
  const [, cell] = [cells.add(), cells.add()];
  const [one, two] = await Promise.all([reader(cells, cell), reader(cells, cell)]);
  expect((await one()).number).toBe(-1);
  for (let number = 1; number <= 40; number++) {
    cells.write(cell, mark(number));
    cells.write(0, mark(1_000_000 + number));
    for (const ask of number % 2 === 0 ? [one, two] : [two, one]) expect(await ask()).toMatchObject({ number, wrong: 0 });
  }
  cells.close();
});

it('what is read while it is written is whole, and never goes back', async () => {
  const cells = new CellFile();
  const cell = cells.add();
  const [one, two] = await Promise.all([reader(cells, cell), reader(cells, cell)]);
  const LAST = 30_000;
  const seen = [one(LAST), two(LAST)];
  for (let number = 1; number <= LAST; number++) {
    cells.write(cell, mark(number));
    // the others must get to run on a machine with few cores
    if (number % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const { number, wrong, reads } of await Promise.all(seen)) {
    expect([number, wrong]).toEqual([LAST, 0]);
    expect(reads).toBeGreaterThan(0);
  }
  cells.close();
});
