import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** The native program of cast's npm package for this platform, or null. @throws Error where it must be there and is not */
export function findCast(): string | null {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  let program = '';
  try {
    const manifest = createRequire(import.meta.url).resolve(`@foundry-rs/cast-${process.platform}-${arch}/package.json`);
    program = join(dirname(manifest), 'bin', 'cast');
  } catch {
    program = '';
  }
  if (program !== '' && existsSync(program)) return program;
  if (process.env['TIDEGATE_REQUIRE_ALL'] === '1') throw new Error('needs cast: its package is not installed');
  return null;
}

/** Runs cast against a URL, in a home of its own, which `close` removes. */
export class Cast {
  readonly #program: string;
  readonly #home = mkdtempSync(join(tmpdir(), 'tidegate-cast-'));

  constructor(program: string) {
    this.#program = program;
  }

  async run(url: string, ...args: string[]): Promise<string> {
    const env = { PATH: process.env['PATH'] ?? '', HOME: this.#home, ETH_RPC_URL: url, NO_COLOR: '1' };
    return (await promisify(execFile)(this.#program, args, { env })).stdout.trim();
  }

  close(): void {
    rmSync(this.#home, { recursive: true, force: true });
  }
}
