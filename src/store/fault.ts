/** Something that the store cannot do, said for an operator; names the file, object or lock. */
export class StoreFault extends Error {
  /** Code of the system, such as ENOSPC, or what is wrong by our own rules. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
  ENOENT: 'no such file or directory',
  EIO: 'the disk reports an error',
  ENOTDIR: 'is not a directory',
};

/** What a system error means for a path. */
export function systemFault(error: unknown, path: string): StoreFault {
  if (error instanceof StoreFault) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'EUNKNOWN';
  return new StoreFault(code, `${path}: ${WORDS[code] ?? code}`);
}

/** Runs something on a path and turns what the system throws into a fault that names it. */
export async function atPath<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw systemFault(error, path);
  }
}
