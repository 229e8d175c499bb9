import { open } from 'lmdb';

/**
 * A process of its own that reads a file of stored answers from end to end and writes what it reached to a new one, without
 * the pages that were free, where damage would only show with a later write. A damaged file may end it by a signal.
 * Exit code 0 = the new file may be used.
 */
async function check(path: string, copy: string): Promise<void> {
  const env = open<Buffer, Buffer>({ path, noSubdir: true, maxDbs: 4, encoding: 'binary', keyEncoding: 'binary' });
  for (const name of ['answers', 'order']) {
    const database = env.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
    let bytes = 0;
    for (const { value } of database.getRange({})) bytes += value.length;
    if (!Number.isFinite(bytes)) throw new Error('unreadable');
  }
  await env.backup(copy, true);
  await env.close();
}

await check(process.argv[2] ?? '', process.argv[3] ?? '');
