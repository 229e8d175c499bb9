import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { isTlsOn } from '../config/tls.ts';
import type { TlsConfig } from '../config/tls.ts';
import { CertificateFault, certificateOf } from './certificate.ts';
import type { Certificate } from './certificate.ts';

/** No chain of certificates comes near it; a wrong path may name anything. */
const MAX_FILE_BYTES = 1024 * 1024;

const REASONS: Readonly<Record<string, string>> = { ENOENT: 'no such file', EACCES: 'not permitted' };

/**
 * Reads and judges the files of `server.tls`; null where there are none. Blocks for the time of reading two small files:
 * for the start and for reloads.
 * @throws CertificateFault naming option, path and reason
 */
export function loadCertificate(tls: TlsConfig): Certificate | null {
  if (!isTlsOn(tls)) return null;
  return certificateOf(tls, { cert: read(tls, 'certFile'), key: read(tls, 'keyFile') });
}

function read(tls: TlsConfig, option: 'certFile' | 'keyFile'): Buffer {
  const path = tls[option];
  let file: number | null = null;
  try {
    // a pipe would keep the process waiting for who writes to it
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new CertificateFault(option, path, 'is no file');
    if (stat.size > MAX_FILE_BYTES) throw new CertificateFault(option, path, `is over ${MAX_FILE_BYTES} bytes`);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof CertificateFault) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    throw new CertificateFault(option, path, `cannot be read: ${REASONS[code] ?? code}`);
  } finally {
    if (file !== null) closeSync(file);
  }
}
