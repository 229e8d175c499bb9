import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ProcessDriver } from '../../src/driver/processDriver.ts';
import { silentLog } from '../help/log.ts';
import { driverContract, IDLE, said, seen, shellSpec } from '../help/driverContract.ts';

const LIMITS = { maxBytes: 10_000, kept: 2 };
const open = (stateDir: string): ProcessDriver => new ProcessDriver({ stateDir, output: LIMITS }, silentLog());

driverContract('process', (stateDir) => ({ driver: open(stateDir), again: () => open(stateDir), dispose: () => Promise.resolve() }));

describe('processes', () => {
  const undo: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const one of undo.splice(0).reverse()) await one();
  });
  const bench = () => {
    const dir = mkdtempSync(join(tmpdir(), 'tidegate-driver-'));
    undo.push(() => rmSync(dir, { recursive: true, force: true }));
    const stateDir = join(dir, 'state');
    const driver = open(stateDir);
    undo.push(async () => {
      const at = await open(stateDir).observe('a');
      await open(stateDir).stop('a', at.incarnation, 0);
    });
    return { driver, stateDir, dataDir: join(dir, 'data'), record: join(stateDir, 'a.run.json') };
  };

  it('keeps in its log why a command could not be started', async () => {
    const { driver, dataDir } = bench();
    await expect(driver.start('a', { ...shellSpec(dataDir, ''), command: '/no/such/node' })).rejects.toThrow(/ENOENT/);
    expect(await driver.logs('a', 1)).toEqual(['/no/such/node cannot be started: spawn /no/such/node ENOENT']);
  });

  it('tells the signal that ended one', async () => {
    const { driver, dataDir } = bench();
    await driver.start('a', shellSpec(dataDir, IDLE));
    const { pid } = await driver.observe('a');
    process.kill(pid ?? 0, 'SIGKILL');
    expect(await seen(driver, 'a', ({ state }) => state === 'exited')).toMatchObject({ signal: 'SIGKILL', exitCode: null });
  });

  it('ends one that was halted, and the children that it leaves behind', async () => {
    const { driver, dataDir } = bench();
    await driver.start('a', shellSpec(dataDir, `(${IDLE}) & echo child $!; ${IDLE}`));
    const lines = await said(driver, 'a', 'child');
    const child = Number(lines.find((line) => line.startsWith('child'))?.slice(6));
    const { pid, incarnation } = await driver.observe('a');
    process.kill(pid ?? 0, 'SIGSTOP');
    await driver.stop('a', incarnation, 10_000);
    for (const one of [pid ?? 0, child]) expect(existsSync(`/proc/${one}/fd`) && !/\nState:\s+Z/.test(readFileSync(`/proc/${one}/status`, 'utf8'))).toBe(false);
  });

  it('finds a process whose record was lost, rather than start a second one on its data', async () => {
    const { driver, stateDir, dataDir, record } = bench();
    await driver.start('a', shellSpec(dataDir, IDLE));
    const { pid } = await driver.observe('a');
    await driver.close();
    rmSync(record);
    const next = open(stateDir);
    await next.start('a', shellSpec(dataDir, IDLE));
    expect((await next.observe('a')).pid).toBe(pid);
  });

  it('finds a process that was started right before the controller died', async () => {
    const { driver, stateDir, dataDir, record } = bench();
    await driver.start('a', shellSpec(dataDir, IDLE));
    const { pid } = await driver.observe('a');
    await driver.close();
    writeFileSync(record, JSON.stringify({ ...JSON.parse(readFileSync(record, 'utf8')), pid: -1, startTicks: -1 }));
    expect(await open(stateDir).observe('a')).toMatchObject({ state: 'running', pid });
  });

  it('gives way to another driver that began on the same data at the same instant', async () => {
    const { driver, stateDir, dataDir } = bench();
    let begun: Promise<void> = Promise.resolve();
    // after the check of the one, before its process is there
    const between = (point: string): void => {
      if (point === 'start, noted') begun = driver.start('a', shellSpec(dataDir, IDLE));
    };
    const late = new ProcessDriver({ stateDir: `${stateDir}-2`, output: LIMITS, onPoint: between }, silentLog());
    await expect(late.start('a', shellSpec(dataDir, IDLE))).rejects.toThrow(/^node a: process \d+ runs on its data directory already$/);
    await begun;
    expect((await late.observe('a')).state).toBe('exited');
    expect((await driver.observe('a')).state).toBe('running');
  });

  it('finds a node that somebody has started by hand, by its arguments', async () => {
    const { driver, dataDir } = bench();
    mkdirSync(dataDir, { recursive: true });
    const stranger = spawn('/bin/sh', ['-c', `echo up; ${IDLE}`, 'node', `--datadir=${dataDir}`], { stdio: ['ignore', 'pipe', 'ignore'] });
    undo.push(() => void stranger.kill('SIGKILL'));
    await once(stranger.stdout, 'data');
    await expect(driver.start('a', shellSpec(dataDir, IDLE))).rejects.toThrow(`node a: process ${stranger.pid} runs sh on its data directory, and was not started from here: end it first`);
    expect((await driver.observe('a')).state).not.toBe('running');
  });

  it('never signals a process that has its pid by chance', async () => {
    const { driver, stateDir, dataDir, record } = bench();
    await driver.start('a', shellSpec(dataDir, 'exit 0'));
    const { incarnation } = await seen(driver, 'a', ({ state }) => state === 'exited');
    const stranger = spawn('/bin/sh', ['-c', IDLE], { stdio: 'ignore', detached: true });
    undo.push(() => void stranger.kill('SIGKILL'));
    const text = JSON.parse(readFileSync(record, 'utf8'));
    writeFileSync(record, JSON.stringify({ ...text, pid: stranger.pid, startTicks: text.startTicks - 1, endedAtMs: -1 }));
    const next = open(stateDir);
    await next.stop('a', `${stranger.pid}@${text.startTicks - 1}`, 0);
    await next.stop('a', incarnation, 0);
    expect((await next.observe('a')).state).toBe('exited');
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    expect(() => process.kill(stranger.pid ?? 0, 0)).not.toThrow();
  });

  it('hands a node nothing of our own environment', async () => {
    process.env['TIDEGATE_TEST_SECRET'] = 'hunter2';
    undo.push(() => void delete process.env['TIDEGATE_TEST_SECRET']);
    const { driver, dataDir } = bench();
    await driver.start('a', shellSpec(dataDir, 'env; echo done', { env: { GIVEN: 'yes' } }));
    const lines = (await said(driver, 'a', 'done')).join('\n');
    expect(lines).toContain('GIVEN=yes');
    expect(lines).not.toContain('hunter2');
  });

  it('sets grown output aside, a bounded number of times', async () => {
    const { driver, stateDir, dataDir } = bench();
    for (let i = 0; i < 4; i++) {
      await driver.start('a', shellSpec(dataDir, `head -c 20000 /dev/zero | tr '\\0' 'x'; echo; echo end ${i}`));
      await seen(driver, 'a', ({ state }) => state === 'exited');
      driver.rotate('a');
    }
    expect(execFileSync('ls', [stateDir], { encoding: 'utf8' }).trim().split('\n')).toEqual(['a.log', 'a.log.1', 'a.log.2', 'a.run.json']);
    expect(readFileSync(join(stateDir, 'a.log.1'), 'utf8')).toContain('end 3');
  });
});
