import { expect, test } from 'vitest';
import { filesBelow, readText } from './tree.ts';

/** Paths of one machine, and hosts that only some networks reach. Split, so that this file does not hold them. */
const BANNED = [
  `/wo${'rk/'}`,
  `/ro${'ot/'}`,
  `registry.${'npmjs'}.org`,
  `proxy.${'golang'}.org`,
  `deb.${'debian'}.org`,
  `127.0.0.1:${'4873'}`,
];

const files = [
  ...['src', 'test', 'config', 'docs', 'native-bench', '.ci'].flatMap((folder) => filesBelow(folder, /./)),
  'README.md',
  'CHANGELOG.md',
  'package.json',
  'package-lock.json',
  'biome.json',
  '.npmrc',
  'vitest.config.ts',
];

test.each(BANNED)('no file names %s', (word) => {
  expect(files.filter((path) => readText(path).includes(word))).toEqual([]);
});
