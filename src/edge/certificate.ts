import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { TlsConfig } from '../config/tls.ts';

/** A certificate with its key, found fit to serve with. */
export interface Certificate {
  /** What it was made by. */
  readonly tls: TlsConfig;
  /** PEM: the certificate, then those that lead to its issuer. */
  readonly cert: Buffer;
  /** PEM. */
  readonly key: Buffer;
  /** Differs whenever the files or the options differ. */
  readonly digest: string;
  /** Hexadecimal. */
  readonly serialNumber: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Why a certificate cannot be served with. */
export class CertificateFault extends Error {
  /** Such as `server.tls.certFile`. */
  readonly option: string;
  readonly file: string;
  readonly reason: string;

  constructor(option: 'certFile' | 'keyFile', file: string, reason: string) {
    super(`server.tls.${option}: ${file}: ${reason}`);
    this.option = `server.tls.${option}`;
    this.file = file;
    this.reason = reason;
  }
}

/** The contents of both files. */
export interface CertificatePems {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * Judges the contents of the files: that both are PEM, that the key opens and belongs to the certificate, and that the
 * TLS library takes them. The time of validity is judged by `timeFault`.
 * @throws CertificateFault naming option, path and reason, never with what is in the files
 */
export function certificateOf(tls: TlsConfig, { cert, key }: CertificatePems): Certificate {
  const leaf = readLeaf(tls, cert);
  const privateKey = readKey(tls, key);
  if (!leaf.checkPrivateKey(privateKey)) throw new CertificateFault('keyFile', tls.keyFile, `is not the key of the certificate in ${tls.certFile}`);
  try {
    createSecureContext(secureOptions(tls, { cert, key }));
  } catch (error) {
    throw new CertificateFault('certFile', tls.certFile, `the TLS library refuses it: ${codeOf(error)}`);
  }
  const digest = createHash('sha256');
  for (const part of [cert, key, tls.passphrase, tls.minVersion]) digest.update(part).update('\0');
  return {
    tls,
    cert,
    key,
    digest: digest.digest('hex'),
    serialNumber: leaf.serialNumber,
    notBeforeMs: Date.parse(leaf.validFrom),
    notAfterMs: Date.parse(leaf.validTo),
  };
}

/** Why clients refuse the certificate at this time, or null. */
export function timeFault({ tls, notBeforeMs, notAfterMs }: Certificate, wallMs: number): CertificateFault | null {
  const day = (ms: number): string => new Date(ms).toISOString();
  if (wallMs >= notAfterMs) return new CertificateFault('certFile', tls.certFile, `the certificate has expired on ${day(notAfterMs)}`);
  if (wallMs < notBeforeMs) return new CertificateFault('certFile', tls.certFile, `the certificate is not valid before ${day(notBeforeMs)}`);
  return null;
}

/** What `node:tls` is told. */
export function secureOptions(tls: TlsConfig, { cert, key }: CertificatePems) {
  const passphrase = tls.passphrase === '' ? {} : { passphrase: tls.passphrase };
  return { cert, key, ...passphrase, minVersion: tls.minVersion };
}

function readLeaf({ certFile }: TlsConfig, cert: Buffer): X509Certificate {
  // the constructor takes DER too, which the engines do not
  if (!cert.includes('-----BEGIN')) throw new CertificateFault('certFile', certFile, 'holds no PEM certificate');
  try {
    return new X509Certificate(cert);
  } catch {
    throw new CertificateFault('certFile', certFile, 'holds no PEM certificate');
  }
}

function readKey({ keyFile, passphrase }: TlsConfig, key: Buffer): KeyObject {
  try {
    return createPrivateKey({ key, format: 'pem', ...(passphrase === '' ? {} : { passphrase }) });
  } catch (error) {
    const isEncrypted = key.includes('ENCRYPTED');
    if (isEncrypted && passphrase === '') throw new CertificateFault('keyFile', keyFile, 'is encrypted; set server.tls.passphrase');
    if (isEncrypted) throw new CertificateFault('keyFile', keyFile, 'does not open with server.tls.passphrase');
    throw new CertificateFault('keyFile', keyFile, `holds no PEM private key (${codeOf(error)})`);
  }
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason');
