import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startController } from '../../src/controller/controller.ts';
import { originOf } from '../../src/store/origin.ts';
import { runCli } from '../../src/cli/run.ts';
import { findAnvil } from '../../src/devnet/binary.ts';
import { TestParts, TestWorld } from '../help/cliWorld.ts';
import { rpc } from '../help/client.ts';
import { keptChain } from '../help/kept.ts';
import type { Kept } from '../help/kept.ts';
import { silentLog } from '../help/log.ts';
import { needsRoot } from '../help/require.ts';
import { scratch, writeFiles } from '../help/vault.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

const GOOD = ['L0', 'L1', 'L3', 'L4', 'L5', 'L6'];
const at = (dir: string) => ({ directory: join(dir, 'snapshots'), keyFile: join(dir, 'keys', 'snapshot.key'), trustFile: join(dir, 'keys', 'trust.json') });

/** A snapshot of the first node, proven by what it answers. */
async function create(made: Kept, ...extra: string[]): Promise<string> {
  const [source, ...others] = made.config.nodes;
  // who vouches has the block by now
  const heads = (): Promise<string[]> => Promise.all(made.config.nodes.map(({ httpPort }) => rpc<string>(`http://127.0.0.1:${httpPort}`, 'eth_blockNumber', [])));
  await expect.poll(async () => new Set(await heads()).size, { timeout: 30_000 }).toBe(1);
  const world = new TestWorld();
  const { directory, keyFile, trustFile } = at(made.dir);
  const peers = others.flatMap(({ httpPort }) => ['--peer', `http://127.0.0.1:${httpPort}`]);
  const code = await runCli(['snapshot', 'create', ...extra, '--rpc', `http://127.0.0.1:${source?.httpPort}`, '--client', 'anvil', '--chain', 'test', '--source', source?.name ?? '', '--store', directory, '--key', keyFile, '--trust', trustFile, '--json', ...peers], world, new TestParts());
  const created = JSON.parse(world.outLines.at(-1) ?? '{}') as { created?: string };
  expect([code, world.errLines, code === 0 ? '' : world.outLines.at(-1)]).toEqual([0, [], '']);
  return created.created ?? '';
}

/** Nodes that keep their state in a file, blocks on command only, and a snapshot of the first. */
async function kept(levels = GOOD, trialArgs: readonly string[] = [], snapshots: object = {}, change: (index: number) => object = () => ({})): Promise<{ readonly made: Kept; readonly block: () => Promise<unknown>; readonly snapshot: string }> {
  const made = await keptChain({
    blockMs: 0,
    chain: { snapshots: { levels } },
    config: (dir) => ({ snapshots: { ...at(dir), ...snapshots } }),
    change: (node, index) => ({ args: [...(node['args'] as string[]), '--state', '{dataDir}/state.json', '--state-interval', '1'], trialArgs, ...change(index) }),
  });
  undo.push(() => made.close());
  const block = async (): Promise<unknown> => made.chain?.sequencer.blockNow();
  await made.serving(...made.names);
  for (let i = 0; i < 5; i++) await block();
  await made.serving(...made.names);
  const snapshot = await create(made);
  // The controller knows it from its next look at the store on.
  await made.controller.close();
  made.controller = await startController(made.config, { log: silentLog() });
  return { made, block, snapshot };
}

const steps = (made: Kept, from: number): string[] => made.journal().slice(from).filter(({ node, kind }) => node === 'kept-1' && kind === 'step').map(({ what }) => what);
const ended = (what: string) => (entry: { node: string; kind: string; what: string; outcome: string }): boolean => entry.node === 'kept-1' && entry.kind === 'operation' && entry.what === what && entry.outcome === 'ok';
const trials = (made: Kept, from: number): string[][] => made.journal().slice(from).filter(({ what }) => what === 'trialBoot').map(({ outcome, why }) => [outcome, why]);
const beside = (made: Kept): string[] => readdirSync(made.dir).filter((name) => name.startsWith('kept-1.tidegate'));

it('what a restore left that is over goes: half staged data beside a node that is well, and the hold on its snapshot', async () => {
  const { made, snapshot } = await kept();
  const { dataDir, name } = made.config.nodes[0]!;
  const { directory } = at(made.dir);
  writeFiles(`${dataDir}.tidegate-staged-restore-kept-1-7.whole.partial`, { 'state.json': 'half' });
  writeFiles(join(directory, 'pins'), { [`${snapshot}.restore-${name}`]: `restore of node ${name}` });
  await expect.poll(() => [beside(made), readdirSync(join(directory, 'pins'))], { timeout: 30_000 }).toEqual([[], []]);
  expect(existsSync(join(dataDir, 'state.json'))).toBe(true);
});

describe('a node whose data is damaged', () => {
  it('is restored from the newest proven snapshot and comes back', async () => {
    const { made, block, snapshot } = await kept();
    const timer = setInterval(() => void block(), 300);
    undo.push(() => clearInterval(timer));
    const from = made.journal().length;
    const { dataDir, httpPort } = made.config.nodes[0]!;
    process.kill(await made.pid('kept-1'), 'SIGKILL');
    writeFileSync(join(dataDir, 'state.json'), '{ "damaged');
    const healed = await made.entry(ended('restore'), from);
    expect(healed.why).toContain('state');
    await made.entry((entry) => entry.node === 'kept-1' && entry.kind === 'step' && entry.what === 'discard', from);
    expect(steps(made, from)).toEqual(expect.arrayContaining(['stage', 'swap', 'start', 'uncordon']));
    expect(trials(made, from)).toEqual([['ok', expect.stringContaining(`staged snapshot ${snapshot.slice(0, 12)}: a node booted from it has head 5`)]]);
    await made.serving(...made.names);
    const url = `http://127.0.0.1:${httpPort}`;
    const ours = await rpc<{ hash: string }>(url, 'eth_getBlockByNumber', ['0x5', false]);
    const theirs = await rpc<{ hash: string }>(`http://127.0.0.1:${made.config.nodes[1]?.httpPort}`, 'eth_getBlockByNumber', ['0x5', false]);
    expect(ours.hash).toBe(theirs.hash);
    expect(snapshot).toMatch(/^[0-9a-f]{64}$/);
    expect(beside(made)).toEqual([]);
    expect(await originOf(dataDir)).toEqual(['kept-1']);
    expect(existsSync(join(dataDir, 'state.json'))).toBe(true);
  });

  it('is left to a human where no snapshot is proven as far as is asked', async () => {
    const { made } = await kept([...GOOD, 'L2']);
    const from = made.journal().length;
    process.kill(await made.pid('kept-1'), 'SIGKILL');
    writeFileSync(join(made.config.nodes[0]!.dataDir, 'state.json'), '{ "damaged');
    const call = await made.entry((entry) => entry.node === 'kept-1' && entry.kind === 'human', from);
    expect(call.why).toContain('no proven snapshot');
    expect(steps(made, from)).not.toContain('swap');
  });

  it('is not given a snapshot that is proven but does not boot: its data stays, and the one before it is taken', async () => {
    const { made, block, snapshot } = await kept();
    await block();
    const { dataDir } = made.config.nodes[0]!;
    // its proof is good, its bytes are as they were signed, and anvil cannot load them
    const worse = await create(made, '--data', writeFiles(scratch(), { 'state.json': '{ "no": "state" }' }));
    const from = made.journal().length;
    process.kill(await made.pid('kept-1'), 'SIGKILL');
    writeFileSync(join(dataDir, 'state.json'), '{ "damaged');
    await made.entry((entry) => entry.node === 'kept-1' && entry.what === 'restore' && entry.outcome === 'failed', from);
    const upTo = made.journal().slice(from).findIndex(({ what, outcome }) => what === 'restore' && outcome === 'failed');
    const before = made.journal().slice(from, from + upTo + 1);
    expect(before.at(-1)?.why).toContain(`snapshot ${worse.slice(0, 12)}: the trial boot failed`);
    expect(before.filter(({ what }) => what === 'swap')).toEqual([]);
    await made.entry(ended('restore'), from);
    expect(trials(made, from)).toEqual([['failed', expect.stringContaining(worse.slice(0, 12))], ['ok', expect.stringContaining(snapshot.slice(0, 12))]]);
  });

  it('is left as it was, and to a human, where no trial can be held: nothing is held against the snapshot', async () => {
    const { made } = await kept(GOOD, ['--no-such-option']);
    const from = made.journal().length;
    const { dataDir } = made.config.nodes[0]!;
    process.kill(await made.pid('kept-1'), 'SIGKILL');
    writeFileSync(join(dataDir, 'state.json'), '{ "damaged');
    const call = await made.entry((entry) => entry.node === 'kept-1' && entry.kind === 'human', from);
    expect(call.why).toContain('restore was tried 2 times');
    const held = ['failed', expect.stringContaining('the trial boot could not be held: it ended with code 2: error: unexpected argument')];
    // three tries of each restore, each of them three boots
    expect(trials(made, from)).toEqual(Array.from({ length: 6 }, () => held));
    expect(steps(made, from)).not.toContain('swap');
    expect([readFileSync(join(dataDir, 'state.json'), 'utf8'), beside(made)]).toEqual(['{ "damaged', []]);
  });

  it('is restored by the next try where the first trial was kept from being held', async () => {
    const folder = scratch();
    const command = join(folder, 'anvil.sh');
    // the port of the first trial is taken, the second is killed as by a system short of memory
    writeFiles(folder, { 'anvil.sh': `#!/bin/sh\ncase "$*" in *tidegate-staged*)\n if mkdir ${folder}/first 2>/dev/null; then echo 'Error: Address already in use (os error 98)' >&2; exit 1; fi\n if mkdir ${folder}/second 2>/dev/null; then kill -9 $$; fi;;\nesac\nexec ${findAnvil()} "$@"\n` });
    chmodSync(command, 0o755);
    const { made, snapshot } = await kept(GOOD, [], {}, () => ({ command }));
    const from = made.journal().length;
    process.kill(await made.pid('kept-1'), 'SIGKILL');
    writeFileSync(join(made.config.nodes[0]!.dataDir, 'state.json'), '{ "damaged');
    await made.entry(ended('restore'), from);
    expect(trials(made, from)).toEqual([['ok', expect.stringContaining(snapshot.slice(0, 12))]]);
    expect(readdirSync(folder).sort()).toEqual(['anvil.sh', 'first', 'second']);
  });

  it.skipIf(!needsRoot())('is left out with the reason while its disk cannot be written to, or is not mounted, and healed when it is there again (needs root)', async () => {
    const [there, disk] = [scratch(), scratch()];
    const mount = (...args: string[]): void => void execFileSync('mount', args);
    mount('--bind', there, disk);
    undo.push(() => void execFileSync('umount', [disk]));
    const { made } = await kept(GOOD, [], {}, (index) => (index === 0 ? { dataDir: join(disk, 'kept-1') } : {}));
    const wish = (what: 'pause' | 'resume') => made.controller.keeper.wish('kept-1', what);
    const state = join(disk, 'kept-1', 'state.json');
    const broken = async (change: () => void): Promise<string> => {
      const pid = await made.pid('kept-1');
      wish('pause');
      process.kill(pid, 'SIGKILL');
      await expect.poll(() => made.controller.keeper.pidOf('kept-1')).toBeNull();
      change();
      const from = made.journal().length;
      wish('resume');
      await made.entry((entry) => entry.node === 'kept-1' && entry.kind === 'human', from);
      expect(steps(made, from)).not.toContain('swap');
      return made.journal().slice(from).find(({ node, kind, what, outcome }) => node === 'kept-1' && kind === 'operation' && what === 'restore' && outcome === 'failed')?.why ?? '';
    };
    const readOnly = await broken(() => {
      writeFileSync(state, '{ "damaged');
      mount('-o', 'remount,bind,ro', disk);
    });
    expect(readOnly).toMatch(/stage failed 3 times: .*kept-1.*: the file system is read-only/);
    expect([readFileSync(state, 'utf8'), readdirSync(disk)]).toEqual(['{ "damaged', ['kept-1']]);
    mount('-o', 'remount,bind,rw', disk);
    let from = made.journal().length;
    wish('resume');
    await made.entry(ended('restore'), from);
    await made.serving('kept-1');
    const away = await broken(() => void execFileSync('umount', [disk]));
    expect(away).toContain(`the file system of its data is not mounted at ${disk}; nothing is put in its place`);
    expect(readdirSync(disk)).toEqual([]);
    mount('--bind', there, disk);
    from = made.journal().length;
    wish('resume');
    await made.serving('kept-1');
    expect(steps(made, from)).not.toContain('swap');
  });

  it('gets its old data back each time the run on the restored data ends, and a human in the end', async () => {
    const { made, block } = await kept(GOOD, [], { restore: { trialBoot: 'never' } });
    await block();
    const { dataDir } = made.config.nodes[0]!;
    await create(made, '--data', writeFiles(scratch(), { 'state.json': '{ "no": "state" }' }));
    const from = made.journal().length;
    process.kill(await made.pid('kept-1'), 'SIGKILL');
    writeFileSync(join(dataDir, 'state.json'), '{ "damaged');
    const call = await made.entry((entry) => entry.node === 'kept-1' && entry.kind === 'human', from);
    expect(call.why).toContain('restore was tried 2 times');
    expect(trials(made, from)).toEqual([['dropped', expect.stringContaining('trialBoot is never')], ['dropped', expect.any(String)]]);
    const moves = steps(made, from).filter((step) => ['swap', 'start', 'swapBack'].includes(step));
    // it is started once on the damaged data before that is found out
    expect(moves.slice(moves.indexOf('swap')).filter((step, i, all) => step !== all[i - 1])).toEqual(['swap', 'start', 'swapBack', 'swap', 'start', 'swapBack']);
    const over = made.journal().slice(from).filter(({ kind, what, node }) => kind === 'operation' && what === 'restore' && node === 'kept-1');
    expect(over.map(({ outcome, why }) => [outcome, why.includes('its old data is back in place')])).toEqual([['failed', true], ['failed', true]]);
    expect([readFileSync(join(dataDir, 'state.json'), 'utf8'), await originOf(dataDir), beside(made)]).toEqual(['{ "damaged', [], []]);
  });
});
