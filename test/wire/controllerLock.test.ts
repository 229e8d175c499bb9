import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { holdDirectory } from '../../src/controller/lock.ts';
import { bootId, startTicks } from '../../src/driver/procfs.ts';

const TAKER = fileURLToPath(new URL('../help/lockTaker.mjs', import.meta.url));
const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0).reverse()) one();
});

function scratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'tidegate-lock-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Processes that try for a directory at one instant; resolves with what each has to say, and lets all go. */
async function race(directory: string, go: string, count: number): Promise<readonly string[]> {
  const takers = Array.from({ length: count }, () => {
    const child: ChildProcessByStdio<Writable, Readable, null> = spawn(process.execPath, [TAKER, directory, go], { stdio: ['pipe', 'pipe', 'inherit'] });
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  });
  for (const { lines } of takers) await lines.next();
  writeFileSync(go, '');
  const said = await Promise.all(takers.map(async ({ lines }) => String((await lines.next()).value)));
  await Promise.all(takers.map(({ child }) => {
    const ended = once(child, 'exit');
    child.stdin.end();
    return ended;
  }));
  return said;
}

const lockOf = (directory: string): string => join(directory, 'controller.lock');

it.each([
  ['nobody had', null],
  ['a controller had that is gone', '1 5 another-boot'],
  ['whose pid belongs to another process now', `${process.pid} 1 ${bootId()}`],
  ['left behind by a crash right in the middle', ''],
])('of several controllers that start at one instant on a directory %s, exactly one gets it', async (_, left) => {
  for (let round = 0; round < 3; round++) {
    const dir = scratch();
    const state = join(dir, 'state');
    mkdirSync(state);
    if (left !== null) writeFileSync(lockOf(state), left);
    const said = await race(state, join(dir, 'go'), 4);
    expect(said.filter((line) => line === 'held'), said.join('; ')).toHaveLength(1);
    for (const line of said) if (line !== 'held') expect(line).toMatch(/is in use by another controller, process \d+/);
    // the one that had it is gone now: the next gets it
    const held = holdDirectory(state);
    expect(readFileSync(lockOf(state), 'utf8')).toContain(`${process.pid} `);
    held.release();
  }
});

it('leaves nothing behind that grows', () => {
  const state = join(scratch(), 'state');
  for (let i = 0; i < 5; i++) {
    holdDirectory(state).release();
    writeFileSync(lockOf(state), `1 ${i} another-boot`);
    for (const name of readdirSync(state)) utimesSync(join(state, name), 0, 0);
  }
  holdDirectory(state).release();
  // the file that was named after the last dead holder goes when nobody can be about to look for it
  expect(readdirSync(state)).toHaveLength(1);
});

it('is let go by its holder only', () => {
  const state = join(scratch(), 'state');
  const held = holdDirectory(state);
  expect(readFileSync(lockOf(state), 'utf8')).toBe(`${process.pid} ${startTicks(process.pid)} ${bootId()}`);
  writeFileSync(lockOf(state), `1 ${startTicks(1)} ${bootId()}`);
  held.release();
  expect(() => holdDirectory(state)).toThrow(/process 1/);
});
