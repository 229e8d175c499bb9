import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { NodeDriver, Observed, RunSpec } from '../../src/driver/port.ts';

/** A driver under test with a place for data; `again` is what a restarted controller would make. */
export interface DriverBench {
  readonly driver: NodeDriver;
  again(): NodeDriver;
  dispose(): Promise<void>;
}

/** A node that is a shell: says that it is up, then does what `script` says. */
export function shellSpec(dataDir: string, script: string, change: Partial<RunSpec> = {}): RunSpec {
  return { command: '/bin/sh', args: ['-c', script], env: {}, dataDir, stopSignal: 'SIGTERM', ...change };
}

/** Runs until it is asked to end; process 1 of a container ends at no signal that it does not handle. */
export const IDLE = "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done";

/** Looks until what is seen is as wanted. */
export async function seen(driver: NodeDriver, name: string, wanted: (at: Observed) => boolean): Promise<Observed> {
  for (;;) {
    const at = await driver.observe(name);
    if (wanted(at)) return at;
    await new Promise((wake) => setImmediate(wake));
  }
}

/** Waits until the node has said something. */
export async function said(driver: NodeDriver, name: string, text: string): Promise<readonly string[]> {
  for (;;) {
    const lines = await driver.logs(name, 10);
    if (lines.some((line) => line.includes(text))) return lines;
    await new Promise((wake) => setImmediate(wake));
  }
}

/** What every driver owes, whatever it runs nodes in. */
export function driverContract(kind: string, open: (dir: string) => DriverBench | Promise<DriverBench>): void {
  describe(`driver ${kind}`, () => {
    const undo: (() => Promise<void> | void)[] = [];
    afterEach(async () => {
      for (const one of undo.splice(0).reverse()) await one();
    });

    const bench = async () => {
      const dir = mkdtempSync(join(tmpdir(), 'tidegate-driver-'));
      undo.push(() => rmSync(dir, { recursive: true, force: true }));
      const made = await open(join(dir, 'state'));
      undo.push(() => made.dispose());
      undo.push(async () => {
        for (const driver of [made.driver]) {
          const at = await driver.observe('a');
          if (at.state === 'running') await driver.stop('a', at.incarnation, 0);
          await driver.forget('a');
        }
      });
      return { ...made, dataDir: join(dir, 'data') };
    };

    it('runs a node once, and tells of it', async () => {
      const { driver, dataDir } = await bench();
      expect((await driver.observe('a')).state).toBe('absent');
      await driver.start('a', shellSpec(dataDir, IDLE));
      await said(driver, 'a', 'up');
      const first = await driver.observe('a');
      expect(first).toMatchObject({ state: 'running', exitCode: null, endedAtMs: -1 });
      expect(first.incarnation).not.toBe('');
      expect(first.startedAtMs).toBeGreaterThan(0);
      expect(first.usage?.memoryBytes).toBeGreaterThan(0);
      await driver.start('a', shellSpec(dataDir, IDLE));
      expect((await driver.observe('a')).incarnation).toBe(first.incarnation);
    });

    it('stops only the run that is meant, and as often as asked', async () => {
      const { driver, dataDir } = await bench();
      await driver.start('a', shellSpec(dataDir, IDLE));
      const { incarnation } = await driver.observe('a');
      await driver.stop('a', 'another', 0);
      expect((await driver.observe('a')).state).toBe('running');
      await driver.stop('a', incarnation, 10_000);
      await driver.stop('a', incarnation, 10_000);
      const ended = await seen(driver, 'a', ({ state }) => state === 'exited');
      expect(ended.incarnation).toBe(incarnation);
      expect(ended.endedAtMs).toBeGreaterThanOrEqual(ended.startedAtMs);
      await driver.start('a', shellSpec(dataDir, IDLE));
      expect((await driver.observe('a')).incarnation).not.toBe(incarnation);
    });

    it('tells the code of a node that ended by itself, and its last words', async () => {
      const { driver, dataDir } = await bench();
      await driver.start('a', shellSpec(dataDir, 'echo Error: the port is taken; exit 3'));
      const ended = await seen(driver, 'a', ({ state }) => state === 'exited');
      expect(ended).toMatchObject({ exitCode: 3, oomKilled: false, usage: null });
      expect(await driver.logs('a', 1)).toEqual(['Error: the port is taken']);
    });

    it('ends by force what will not end', async () => {
      const { driver, dataDir } = await bench();
      await driver.start('a', shellSpec(dataDir, "trap '' TERM; echo up; while :; do sleep 0.1; done"));
      await said(driver, 'a', 'up');
      const { incarnation } = await driver.observe('a');
      await driver.stop('a', incarnation, 0);
      expect((await seen(driver, 'a', ({ state }) => state === 'exited')).incarnation).toBe(incarnation);
    });

    it('lets a node end in its own way', async () => {
      const { driver, dataDir } = await bench();
      await driver.start('a', shellSpec(dataDir, `trap 'echo flushed; exit 0' INT; ${IDLE}`, { stopSignal: 'SIGINT' }));
      await said(driver, 'a', 'up');
      const { incarnation } = await driver.observe('a');
      await driver.stop('a', incarnation, 20_000);
      const ended = await seen(driver, 'a', ({ state }) => state === 'exited');
      expect(ended.exitCode).toBe(0);
      expect(await driver.logs('a', 1)).toEqual(['flushed']);
    });

    it('finds what ran before, after a restart of the controller', async () => {
      const { driver, again, dataDir } = await bench();
      await driver.start('a', shellSpec(dataDir, IDLE));
      const before = await driver.observe('a');
      await driver.close();
      const next = again();
      expect(await next.observe('a')).toMatchObject({ state: 'running', incarnation: before.incarnation, startedAtMs: before.startedAtMs });
      await next.start('a', shellSpec(dataDir, IDLE));
      expect((await next.observe('a')).incarnation).toBe(before.incarnation);
      await next.stop('a', before.incarnation, 10_000);
      expect((await seen(next, 'a', ({ state }) => state === 'exited')).incarnation).toBe(before.incarnation);
    });

    it('never runs two nodes on one data directory', async () => {
      const { driver, dataDir } = await bench();
      await driver.start('a', shellSpec(dataDir, IDLE));
      await said(driver, 'a', 'up');
      const { pid, incarnation } = await driver.observe('a');
      await expect(driver.start('b', shellSpec(`${dataDir}/../data`, IDLE))).rejects.toThrow(`node b: process ${pid} runs on its data directory already`);
      expect((await driver.observe('b')).state).not.toBe('running');
      await driver.stop('a', incarnation, 10_000);
      await driver.start('b', shellSpec(dataDir, IDLE));
      const other = await driver.observe('b');
      expect(other.state).toBe('running');
      await driver.stop('b', other.incarnation, 0);
      await driver.forget('b');
    });

    it('starts nothing on data that a process writes which no driver has started; reading is no harm', async () => {
      const { driver, dataDir } = await bench();
      mkdirSync(dataDir, { recursive: true });
      writeFileSync(join(dataDir, 'LOCK'), '');
      const byHand = async (script: string): Promise<ChildProcess> => {
        const child = spawn('/bin/sh', ['-c', `${script}; echo open; exec sleep 1000`], { stdio: ['ignore', 'pipe', 'ignore'] });
        undo.push(() => void child.kill('SIGKILL'));
        await once(child.stdout, 'data');
        return child;
      };
      await byHand(`exec 3<'${dataDir}/LOCK'`);
      const writer = await byHand(`exec 3>>'${dataDir}/LOCK'`);
      await expect(driver.start('a', shellSpec(dataDir, IDLE))).rejects.toThrow(`node a: process ${writer.pid} has ${dataDir}/LOCK open for writing, and was not started from here: end it first`);
      expect((await driver.observe('a')).state).not.toBe('running');
      writer.kill('SIGKILL');
      await once(writer, 'exit');
      await driver.start('a', shellSpec(dataDir, IDLE));
      expect((await driver.observe('a')).state).toBe('running');
    });

    it('says why a command cannot be started', async () => {
      const { driver, dataDir } = await bench();
      await expect(driver.start('a', { ...shellSpec(dataDir, ''), command: '/no/such/node' })).rejects.toThrow(/a: .*\/no\/such\/node/);
      expect((await driver.observe('a')).state).not.toBe('running');
    });
  });
}
