import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../observe/folder.ts';

const TOKEN_BYTES = 32;
const MAX_FILE_BYTES = 4096;
/** Visible ASCII: what a header can carry. */
const TOKEN = /^[\x21-\x7e]{16,1024}$/;
/** Rights of group and others. */
const FOREIGN_RIGHTS = 0o077;

/** The token, or why there is none. */
export type TokenFile = { readonly token: string; readonly made: boolean } | { readonly fault: string };

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code ?? error);

/**
 * Reads the admin token; a missing file is made, readable for its owner only.
 * @returns what is wrong instead of throwing: a gateway without this token still serves
 */
export async function loadToken(path: string): Promise<TokenFile> {
  if (path === '') return { fault: 'admin.tokenFile is empty' };
  try {
    return await makeToken(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') return { fault: `${path} cannot be made: ${codeOf(error)}` };
  }
  try {
    return await readToken(path);
  } catch (error) {
    return { fault: `${path} cannot be read: ${codeOf(error)}` };
  }
}

async function makeToken(path: string): Promise<TokenFile> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  makeFolder(dirname(path), 0o700);
  await writeFile(path, `${token}\n`, { flag: 'wx', mode: 0o600 });
  return { token, made: true };
}

async function readToken(path: string): Promise<TokenFile> {
  const facts = await stat(path);
  if (!facts.isFile() || facts.size > MAX_FILE_BYTES) return { fault: `${path} is no file of at most ${MAX_FILE_BYTES} bytes` };
  if (process.platform !== 'win32' && (facts.mode & FOREIGN_RIGHTS) !== 0) {
    return { fault: `${path} is open to others than its owner; its mode must be 0600` };
  }
  const token = (await readFile(path, 'utf8')).trim();
  return TOKEN.test(token) ? { token, made: false } : { fault: `${path} must hold 16 to 1024 visible ASCII characters` };
}

/** A token as it is kept for comparison. */
export class TokenCheck {
  private readonly digest: Buffer;

  constructor(token: string) {
    this.digest = sha256(token);
  }

  /** Whether an `authorization` header holds the token; takes the same time whatever it holds instead. */
  allows(authorization: string): boolean {
    const [, given] = /^bearer +(\S+)$/i.exec(authorization) ?? [];
    return timingSafeEqual(this.digest, sha256(given ?? '')) && given !== undefined;
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
