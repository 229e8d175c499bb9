import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { canonicalText } from '../snapshot/canonical.ts';
import type { Manifest, Signature } from '../snapshot/manifest.ts';
import { type CheckSignature, signedBytes, type TrustedKey } from '../snapshot/sign.ts';
import { writeWhole } from './atomic.ts';
import { atPath, StoreFault } from './fault.ts';

/** The key that manifests are signed with. */
export interface SigningKey {
  readonly keyId: string;
  /** Raw public key in hex. */
  readonly publicKey: string;
  /** Whether it was made just now. */
  readonly isNew: boolean;
  readonly privateKey: KeyObject;
}

/** Rights of group and others. */
const FOREIGN_RIGHTS = 0o077;
const HEX = /^[0-9a-f]{64}$/;

const rawPublic = (key: KeyObject): Buffer => Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');

const described = (privateKey: KeyObject, isNew: boolean): SigningKey => {
  const raw = rawPublic(privateKey);
  return { keyId: createHash('sha256').update(raw).digest('hex'), publicKey: raw.toString('hex'), isNew, privateKey };
};

const missing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Reads the signing key; null when there is none. @throws StoreFault */
export function ownKey(path: string): Promise<SigningKey | null> {
  return atPath(path, () => readKey(path));
}

async function readKey(path: string): Promise<SigningKey | null> {
  const facts = await stat(path).catch((error: unknown) => {
    if (missing(error)) return null;
    throw error;
  });
  if (facts === null) return null;
  if (process.platform !== 'win32' && (facts.mode & FOREIGN_RIGHTS) !== 0) throw new StoreFault('open', `${path}: is open to others than its owner; its mode must be 0600`);
  const pem = await readFile(path, 'utf8');
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return described(key, false);
  } catch {
    // told below
  }
  throw new StoreFault('malformed', `${path}: is no Ed25519 private key in PEM`);
}

/** Reads the signing key; a missing one is made, readable for its owner only. @throws StoreFault */
export async function loadKey(path: string): Promise<SigningKey> {
  const found = await ownKey(path);
  if (found !== null) return found;
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    await writeWhole(path, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600, isExclusive: true });
  } catch (error) {
    // another process began at the same time and was first: its key is the one
    const theirs = error instanceof StoreFault && error.code === 'EEXIST' ? await ownKey(path) : null;
    if (theirs !== null) return theirs;
    throw error;
  }
  return described(privateKey, true);
}

/** Signs a manifest anew with one key; signatures by others would no longer fit and go. */
export function signManifest(manifest: Pick<Manifest, 'snapshot' | 'verification'>, key: SigningKey): Manifest {
  const value = sign(null, signedBytes(manifest), key.privateKey).toString('hex');
  const signature: Signature = { keyId: key.keyId, value };
  return { snapshot: manifest.snapshot, verification: manifest.verification, signatures: [signature] };
}

/** Checks an Ed25519 signature with a raw public key. */
export const checkSignature: CheckSignature = (publicKey, message, signature) => {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey, 'hex').toString('base64url') }, format: 'jwk' });
  return verify(null, message, key, Buffer.from(signature, 'hex'));
};

const isTrusted = (value: unknown): value is TrustedKey => {
  const { keyId, publicKey, isRevoked } = (value ?? {}) as Partial<TrustedKey>;
  return typeof keyId === 'string' && HEX.test(keyId) && typeof publicKey === 'string' && HEX.test(publicKey) && typeof isRevoked === 'boolean';
};

const keyIdOf = (publicKey: string): string => createHash('sha256').update(Buffer.from(publicKey, 'hex')).digest('hex');

/**
 * Reads the trust file: a JSON list of keys whose signatures count.
 * @returns none when there is no such file
 * @throws StoreFault naming the entry that is wrong
 */
export async function loadTrust(path: string): Promise<readonly TrustedKey[]> {
  const text = await atPath(path, () => readFile(path, 'utf8').catch((error: unknown) => {
    if (missing(error)) return '[]';
    throw error;
  }));
  let keys: unknown;
  try {
    keys = JSON.parse(text);
  } catch {
    throw new StoreFault('malformed', `${path}: is not JSON`);
  }
  if (!Array.isArray(keys)) throw new StoreFault('malformed', `${path}: is not a list`);
  return keys.map((key: unknown, i) => {
    if (!isTrusted(key)) throw new StoreFault('malformed', `${path}: entry ${i} needs keyId, publicKey (64 hex digits each) and isRevoked`);
    if (keyIdOf(key.publicKey) !== key.keyId) throw new StoreFault('malformed', `${path}: keyId of entry ${i} is not that of its publicKey`);
    const before = (keys as readonly TrustedKey[]).findIndex(({ keyId }) => keyId === key.keyId);
    if (before < i) throw new StoreFault('malformed', `${path}: entry ${i} has the keyId of entry ${before}`);
    return key;
  });
}

/** Adds a public key to the trust file, unless it is in it. @returns whether it was added */
export async function trustKey(path: string, { keyId, publicKey }: Pick<TrustedKey, 'keyId' | 'publicKey'>): Promise<boolean> {
  const keys = await loadTrust(path);
  if (keys.some((key) => key.keyId === keyId)) return false;
  const lines = [...keys, { keyId, publicKey, isRevoked: false }].map((key) => `  ${canonicalText(key)}`);
  await writeWhole(path, `[\n${lines.join(',\n')}\n]\n`);
  return true;
}
