import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Name of the npm package that carries the native binary for a platform, whether or not it exists. */
export function anvilPackage(platform: string, arch: string): string {
  return `@foundry-rs/anvil-${platform}-${ARCHITECTURES[arch] ?? arch}`;
}

/** A program of that name on the PATH, or null. */
function onPath(name: string): string | null {
  const found = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name)).find((path) => existsSync(path));
  return found ?? null;
}

/**
 * Path of the native anvil binary: inside the npm package for this platform, else on the PATH.
 * @throws Error naming platform and package when there is none
 */
export function findAnvil(platform: string = process.platform, arch: string = process.arch): string {
  const wanted = anvilPackage(platform, arch);
  const program = platform === 'win32' ? 'anvil.exe' : 'anvil';
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${wanted}/package.json`));
    const binary = join(folder, 'bin', program);
    if (existsSync(binary)) return binary;
  } catch {
    // Not installed here: the PATH is asked.
  }
  const installed = platform === process.platform ? onPath(program) : null;
  if (installed !== null) return installed;
  throw new Error(
    `no anvil binary for ${platform} ${arch}: the package ${wanted} is not installed and there is no ${program} on the PATH ` +
      '(it comes with Tidegate for linux on x64; elsewhere install that package or Foundry)',
  );
}
