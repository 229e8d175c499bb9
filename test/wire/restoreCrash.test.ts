import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { dataState } from '../../src/store/dataNames.ts';
import { readyData, swapBack, swapData } from '../../src/store/dataSwap.ts';
import { stageData } from '../../src/store/staging.ts';
import { builtProgram } from '../help/program.ts';
import { scratch, Vault, writeFiles } from '../help/vault.ts';

const OP = 'restore-a-17';
const MOST_CALLS = 400;

/** Ends itself by SIGKILL before its n-th change of the file system. */
const script = (dist: string): string => `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const [root, key, id, dataDir, nth, back] = process.argv.slice(2);
let left = Number(nth);
for (const name of ['mkdir', 'rename', 'rm', 'copyFile', 'chmod', 'open']) {
  const real = fs.promises[name];
  fs.promises[name] = (...args) => {
    if (left-- === 0) process.kill(process.pid, 'SIGKILL');
    return real(...args);
  };
}
syncBuiltinESMExports();
const at = (file) => import(${JSON.stringify(dist)} + file);
const { SnapshotStore } = await at('store/store.js');
const { stageData } = await at('store/staging.js');
const { swapData, swapBack } = await at('store/dataSwap.js');
const store = new SnapshotStore({ root, keys: () => [{ ...JSON.parse(key), isRevoked: false }], nowMs: () => 1 });
const candidate = (await store.trusted('demo')).find((one) => one.id === id);
await stageData(store, { candidate, dataDir, operation: '${OP}', node: 'a', method: 'copy' });
await swapData(dataDir, { operation: '${OP}', from: 'snapshot', clientKind: 'geth' });
if (back === 'back') await swapBack(dataDir, '${OP}');
`;

const OLD = { 'chain/a.sst': 'old', 'geth/nodekey': 'its own' };
const NEW = { 'chain/a.sst': 'new', 'chain/b.sst': 'too', 'geth/nodekey': 'its own' };
const contents = (folder: string): Record<string, string> | null =>
  existsSync(folder) ? Object.fromEntries(readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name)).sort().map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')])) : null;

test.each(['on', 'back'])('killed before each change of the file system while a snapshot is put in place (%s): the data is whole or absent, and it goes on or back', async (way) => {
  const vault = await Vault.open();
  const { candidate } = await vault.capture(writeFiles(scratch(), { 'chain/a.sst': 'new', 'chain/b.sst': 'too' }));
  const program = join(scratch(), 'run.mjs');
  mkdirSync(dirname(program), { recursive: true });
  writeFileSync(program, script(pathToFileURL(join(dirname(builtProgram()), '/')).href));
  const { keyId, publicKey } = vault.key;
  let kills = 0;
  for (let nth = 0; nth < MOST_CALLS; nth++) {
    const dataDir = writeFiles(join(scratch(), 'node'), OLD);
    const { signal, status, stderr } = spawnSync(process.execPath, [program, vault.store.root, JSON.stringify({ keyId, publicKey }), candidate.id, dataDir, String(nth), way], { encoding: 'utf8' });
    expect([signal ?? status, signal === null ? stderr : '']).toEqual([signal === null ? 0 : 'SIGKILL', '']);
    const live = contents(dataDir);
    expect([JSON.stringify(null), JSON.stringify(OLD), JSON.stringify(NEW)]).toContain(JSON.stringify(live));
    if (signal === null) break;
    kills++;
    if (nth % 2 === 0) {
      // a start after the crash finds whole data
      await readyData(dataDir);
      expect([JSON.stringify(OLD), JSON.stringify(NEW)]).toContain(JSON.stringify(contents(dataDir)));
    }
    if (way === 'back' && dataState(dataDir).staged === null) {
      await swapBack(dataDir, OP);
      expect(contents(dataDir)).toEqual(OLD);
      expect(readdirSync(dirname(dataDir)).filter((name) => !name.endsWith('.partial'))).toEqual(['node']);
      continue;
    }
    if (dataState(dataDir).swapped !== OP) await stageData(vault.store, { candidate, dataDir, operation: OP, node: 'a', method: 'copy' });
    await swapData(dataDir, { operation: OP, from: 'snapshot', clientKind: 'geth' });
    expect(contents(dataDir)).toEqual(NEW);
    expect(contents(`${dataDir}.tidegate-old-${OP}`)).toEqual(OLD);
  }
  expect(kills).toBeGreaterThan(12);
}, 110_000);
