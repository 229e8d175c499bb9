import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID, X509Certificate } from 'node:crypto';
import { generate } from 'selfsigned';
import type { TlsConfig } from '../../src/config/tls.ts';

/** A certificate for `localhost` and 127.0.0.1 that is its own issuer. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
  /** Hexadecimal, upper case. */
  readonly serialNumber: string;
}

const DAY_MS = 86_400_000;

/** @param validMs from now to its end; negative = it has ended */
export async function makePair(validMs = DAY_MS): Promise<Pair> {
  const nowMs = Date.now();
  // Issuers of one name would be taken for each other.
  const { cert, private: key } = await generate([{ name: 'commonName', value: `issuer ${randomUUID()}` }], {
    keyType: 'ec',
    notBeforeDate: new Date(nowMs - 2 * DAY_MS),
    notAfterDate: new Date(nowMs + validMs),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }, { type: 7, ip: '127.0.0.1' }] }],
  });
  return { cert, key, serialNumber: new X509Certificate(cert).serialNumber };
}

/** The two files of `server.tls` in a folder of their own. Remove it. */
export class TlsFiles {
  readonly tls: TlsConfig;
  /** What is in the files. */
  pair: Pair;
  readonly #folder: string;

  private constructor(pair: Pair) {
    this.#folder = mkdtempSync(join(tmpdir(), 'tidegate-tls-'));
    this.tls = { certFile: join(this.#folder, 'tls.crt'), keyFile: join(this.#folder, 'tls.key'), passphrase: '', minVersion: 'TLSv1.2' };
    this.pair = pair;
    this.put(pair);
  }

  static async make(pair?: Pair): Promise<TlsFiles> {
    return new TlsFiles(pair ?? (await makePair()));
  }

  /** What a client trusts. */
  get ca(): string {
    return this.pair.cert;
  }

  /** Replaces both files, each by a rename, the key first: until the other is there they do not fit. */
  put(pair: Pair): void {
    this.pair = pair;
    this.write('keyFile', pair.key);
    this.write('certFile', pair.cert);
  }

  write(file: 'certFile' | 'keyFile', text: string): void {
    writeFileSync(`${this.tls[file]}.new`, text, { mode: 0o600 });
    renameSync(`${this.tls[file]}.new`, this.tls[file]);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
