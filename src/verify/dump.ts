import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { makeFolder } from '../observe/folder.ts';
import { ask, type Asked, AskFault } from './ask.ts';

const unpack = promisify(gunzip);
const MAX_STATE_BYTES = 2_147_483_648;

/**
 * Writes the state that a running node gives away, as the JSON that it loads, to `state.json` in a folder.
 * @param method answers with hex of gzip of it, as anvil's `anvil_dumpState` does
 * @throws AskFault
 */
export async function dumpState(node: Asked, method: string, directory: string): Promise<void> {
  const hex = String(await ask(node, method, []));
  const state = await unpack(Buffer.from(hex.slice(2), 'hex'), { maxOutputLength: MAX_STATE_BYTES }).catch(() => {
    throw new AskFault(`${node.name}: ${method}: does not answer with the gzip of a state`);
  });
  makeFolder(directory);
  const file = await open(join(directory, 'state.json'), 'w', 0o600);
  try {
    await file.writeFile(state);
    await file.sync();
  } finally {
    await file.close();
  }
}
