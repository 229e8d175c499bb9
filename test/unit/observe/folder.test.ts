import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolder } from '../../../src/observe/folder.ts';

const root = mkdtempSync(join(tmpdir(), 'tidegate-folder-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('a folder is made with all that it stands in, and may be there', () => {
  const path = join(root, 'a', 'b', 'c');
  for (let i = 0; i < 2; i++) makeFolder(path, 0o700);
  expect([statSync(path).isDirectory(), statSync(join(root, 'a')).mode & 0o777]).toEqual([true, 0o700]);
  makeFolder('/');
});

test('where none can be made it says so', () => {
  writeFileSync(join(root, 'file'), '');
  for (const path of ['file', 'file/below', 'file/far/below']) expect(() => makeFolder(join(root, path)), path).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
});

test.runIf(process.platform === 'linux')('a file system that knows of no new name makes nobody wait for ever', () => {
  for (const path of ['/proc/tidegate', '/proc/tidegate/answers', '/proc/self/tidegate/far/below']) expect(() => makeFolder(path), path).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});
