import { isEvenByVectors } from './evenVectors.ts';
import { isEvenByWords } from './evenWords.ts';

/** From this size on, looking through the whole text first pays for itself. */
const LARGE_TEXT_BYTES = 2048;

const isEvenUpTo = isEvenByVectors ?? isEvenByWords;

/**
 * Tells whether a large text has neither a backslash nor a control character before the white space at its end; most
 * machine-made ones have not, and their strings can be skipped at the speed of `indexOf`. Small texts count as uneven.
 */
export function isEven(bytes: Buffer): boolean {
  let { length } = bytes;
  if (length < LARGE_TEXT_BYTES) return false;
  while (length > 0 && (bytes[length - 1] as number) <= 0x20) length--;
  return isEvenUpTo(bytes, length);
}
