import * as z from 'zod';
import { DEFAULTS } from './defaults.ts';
import { choice, section } from './fields.ts';
import type { Finding } from './problem.ts';

const D = DEFAULTS.server.tls;

const text = (what: string, description: string) =>
  z
    .string({ error: `must be ${what}` })
    .max(4096, { error: 'must be at most 4096 characters' })
    .default('')
    .describe(description);

/** TLS on the client port. */
export const tlsSection = section(
  {
    certFile: text('a path, or "" for none', 'PEM file with the certificate and those that lead to its issuer; empty = plain HTTP.'),
    keyFile: text('a path, or "" for none', 'PEM file with the private key of the certificate.'),
    passphrase: text('a text', 'What the key file is encrypted with; empty = it is not.'),
    minVersion: choice(['TLSv1.2', 'TLSv1.3'], D.minVersion, 'Oldest version of TLS that is spoken.'),
  },
  'TLS on the client port.',
);

/** The options of `server.tls`. */
export interface TlsConfig {
  readonly certFile: string;
  readonly keyFile: string;
  readonly passphrase: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/** Whether the client port speaks TLS. */
export function isTlsOn(tls: TlsConfig): boolean {
  return tls.certFile !== '';
}

/** A certificate and its key come together. */
export function relateTls(tls: TlsConfig): Finding[] {
  const section = ['server', 'tls'];
  if (tls.certFile === '' && tls.keyFile === '') {
    return tls.passphrase === '' ? [] : [{ path: [...section, 'passphrase'], message: 'has no effect without server.tls.keyFile' }];
  }
  if (tls.keyFile === '') return [{ path: [...section, 'keyFile'], orAt: [...section, 'certFile'], message: 'server.tls.keyFile is required beside server.tls.certFile' }];
  if (tls.certFile === '') return [{ path: [...section, 'certFile'], orAt: [...section, 'keyFile'], message: 'server.tls.certFile is required beside server.tls.keyFile' }];
  return [];
}
