import { constants, gunzip, gzip } from 'node:zlib';
import type { FaultKind } from '../base/fault.ts';

/**
 * Whether an Accept-Encoding value lets gzip through: named or by `*`, with a weight above 0 (RFC 9110 section 12.5.3).
 */
export function acceptsGzip(value: string): boolean {
  if (value === '') return false;
  let star = false;
  for (const item of value.toLowerCase().split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim());
    const wanted = !parameters.some((parameter) => /^q\s*=\s*0(?:\.0*)?$/.test(parameter));
    if (name === 'gzip' || name === 'x-gzip') return wanted;
    if (name === '*') star = wanted;
  }
  return star;
}

/** Inflates a gzip body on the thread pool, to at most `maxBytes`. */
export function inflate(body: Buffer, maxBytes: number, done: (fault: FaultKind | null, plain: Buffer) => void): void {
  gunzip(body, { maxOutputLength: maxBytes }, (error, plain) => {
    if (error === null) done(null, plain);
    else done((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'bodyTooLarge' : 'parse', body);
  });
}

/** Compresses an answer on the thread pool; `null` when that failed. The fastest level: JSON shrinks well even so. */
export function deflate(body: Uint8Array | string, done: (packed: Buffer | null) => void): void {
  gzip(body, { level: constants.Z_BEST_SPEED }, (error, packed) => done(error === null ? packed : null));
}
