import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { StoreFault } from './fault.ts';

/** Opens at once even what nobody writes to, such as a pipe, to see that it is no file. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Reads a whole file, if it is one and not larger than it may be: whoever can write to a store cannot make its reader wait for a
 * pipe, or take a device without end into memory.
 * @throws StoreFault for anything else than a file, or one that is too large; the system's error where it cannot be read
 */
export async function readRegular(path: string, maxBytes: number): Promise<Buffer> {
  const handle = await open(path, FLAGS);
  try {
    const facts = await handle.stat();
    if (!facts.isFile()) throw new StoreFault('unfit', `${path}: is no file`);
    if (facts.size > maxBytes) throw new StoreFault('unfit', `${path}: has ${facts.size} bytes, more than ${maxBytes}`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
