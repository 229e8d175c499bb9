import { seededRandom } from '../base/random.ts';

const KIB = 1024;

/** Largest chunk, and the size of the pieces that immutable and paged files are cut into. */
export const MAX_CHUNK_BYTES = 4096 * KIB;
/** Smallest chunk of a stream, but for its last. */
export const MIN_CUT_BYTES = 512 * KIB;
/** Size around which chunks of a stream gather. */
export const NORMAL_CUT_BYTES = 1024 * KIB;

/** Bits that must be 0 before and behind the normal size: 22 and 18 of the highest, which depend on the most bytes. */
const MASK_BEFORE = 0xfffffc00;
const MASK_BEHIND = 0xffffc000;
const GEAR_SEED = 0x7469_6465;

/** The table of the gear hash: fixed, since other numbers would cut the same stream elsewhere. */
export function gearTable(): Int32Array {
  const random = seededRandom(GEAR_SEED);
  return Int32Array.from({ length: 256 }, () => Math.floor(random() * 0x1_0000_0000));
}

/**
 * Length of the next chunk of a stream, cut where the content says, so that an insertion moves only the cuts around it.
 * Source: FastCDC with normalised chunking (Xia et al., USENIX ATC 2016, section 3), with a gear hash of 32 bits.
 * @param bytes the stream from the last cut on: at least MAX_CHUNK_BYTES of it, or its end
 */
export function cutLength(gear: Int32Array, bytes: Uint8Array): number {
  if (bytes.length <= MIN_CUT_BYTES) return bytes.length;
  const end = Math.min(bytes.length, MAX_CHUNK_BYTES);
  const normal = Math.min(end, NORMAL_CUT_BYTES);
  let print = 0;
  let i = MIN_CUT_BYTES;
  for (; i < normal; i++) {
    print = ((print << 1) + (gear[bytes[i] as number] as number)) | 0;
    if ((print & MASK_BEFORE) === 0) return i + 1;
  }
  for (; i < end; i++) {
    print = ((print << 1) + (gear[bytes[i] as number] as number)) | 0;
    if ((print & MASK_BEHIND) === 0) return i + 1;
  }
  return end;
}
