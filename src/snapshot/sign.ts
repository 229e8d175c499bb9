import { toHex, type Sha256, utf8 } from './bytes.ts';
import { canonicalText } from './canonical.ts';
import type { Manifest, SnapshotBody } from './manifest.ts';

/** A key whose signatures count. */
export interface TrustedKey {
  /** SHA-256 of the raw public key. */
  readonly keyId: string;
  /** Raw Ed25519 public key in hex. */
  readonly publicKey: string;
  /** Signatures of it count no more. */
  readonly isRevoked: boolean;
}

/** Tells whether an Ed25519 signature in hex is good. */
export type CheckSignature = (publicKey: string, message: Uint8Array, signature: string) => boolean;

/** Id of a snapshot: SHA-256 of what was captured, in its canonical text. */
export function snapshotId(sha256: Sha256, body: SnapshotBody): string {
  return toHex(sha256(utf8(canonicalText(body))));
}

/** The bytes that are signed: snapshot and verification, with a prefix that no other signature has. */
export function signedBytes({ snapshot, verification }: Pick<Manifest, 'snapshot' | 'verification'>): Uint8Array {
  return utf8(`tidegate.snapshot.1\n${canonicalText({ snapshot, verification })}`);
}

/**
 * Why the signatures of a manifest do not make it trusted; null when they do. One good signature of a trusted key is enough,
 * but a bad one is a sign of tampering and refuses all.
 */
export function distrust(manifest: Manifest, keys: readonly TrustedKey[], check: CheckSignature): string | null {
  const { signatures } = manifest;
  if (signatures.length === 0) return 'it is not signed';
  const message = signedBytes(manifest);
  const reasons = signatures.map(({ keyId, value }, i) => {
    const key = keys.find((one) => one.keyId === keyId);
    if (key === undefined) return { isBad: false, why: `key ${keyId.slice(0, 16)} is not in the trust file` };
    if (key.isRevoked) return { isBad: false, why: `key ${keyId.slice(0, 16)} is revoked` };
    return check(key.publicKey, message, value) ? null : { isBad: true, why: `signatures[${i}] of key ${keyId.slice(0, 16)} is wrong: the manifest was changed` };
  });
  const bad = reasons.find((reason) => reason?.isBad === true);
  if (bad != null) return bad.why;
  return reasons.includes(null) ? null : (reasons[0]?.why ?? null);
}
