import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Name of the npm package that carries the native binary for a platform, whether or not it exists. */
export function anvilPackage(platform: string, arch: string): string {
  return `@foundry-rs/anvil-${platform}-${ARCHITECTURES[arch] ?? arch}`;
}

/**
 * Path of the native anvil binary inside the npm package for this platform. The package's own launcher is passed by,
 * because signals sent to it would not reach the node.
 * @throws Error naming platform and package when the package or the binary is absent
 */
export function findAnvil(platform: string = process.platform, arch: string = process.arch): string {
  const wanted = anvilPackage(platform, arch);
  const here = createRequire(import.meta.url);
  try {
    // The platform package is a dependency of the launcher, so it is looked up from there: it need not be hoisted.
    const launcher = createRequire(here.resolve('@foundry-rs/anvil/package.json'));
    const folder = dirname(launcher.resolve(`${wanted}/package.json`));
    const binary = join(folder, 'bin', platform === 'win32' ? 'anvil.exe' : 'anvil');
    if (existsSync(binary)) return binary;
  } catch {
    // Not installed: told below with the platform's name.
  }
  throw new Error(
    `no anvil binary for ${platform} ${arch}: the package ${wanted} is not installed ` +
      '(anvil is published for linux and darwin on x64 and arm64, and for win32 on x64; optional dependencies must not be omitted)',
  );
}
