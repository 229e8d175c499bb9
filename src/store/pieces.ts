import type { FileHandle } from 'node:fs/promises';
import { cutLength, MAX_CHUNK_BYTES } from '../snapshot/chunker.ts';
import type { FileKind } from '../snapshot/manifest.ts';

const fill = async (handle: FileHandle, into: Buffer, from: number): Promise<number> => {
  let at = from;
  while (at < into.length) {
    const { bytesRead } = await handle.read(into, at, into.length - at, null);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
};

/** A file in the pieces that its chunks are made of; each is a buffer of its own. */
export async function* piecesOf(handle: FileHandle, kind: FileKind, gear: Int32Array): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for (;;) {
    const buffer = Buffer.allocUnsafeSlow(MAX_CHUNK_BYTES);
    buffer.set(rest);
    const length = await fill(handle, buffer, rest.length);
    if (length === 0) return;
    const whole = buffer.subarray(0, length);
    const cut = kind === 'stream' ? cutLength(gear, whole) : length;
    yield whole.subarray(0, cut);
    rest = whole.subarray(cut);
  }
}
