import { effectiveText } from '../config/effective.ts';
import type { Config } from '../config/schema.ts';
import { CertificateFault, timeFault } from '../edge/certificate.ts';
import { loadCertificate } from '../edge/certificateFile.ts';
import { loadFile, problemLines } from './load.ts';
import { EXIT, type World } from './ports.ts';

/** Prints the effective configuration, or every problem on a line of its own. */
export async function check(file: string, world: World): Promise<number> {
  const result = await loadFile(file, world);
  const fault = 'config' in result ? certificateFault(result.config) : null;
  if (fault !== null) {
    world.out(`${file}: ${fault}`);
    return EXIT.failed;
  }
  if ('config' in result) {
    world.out(effectiveText(result.config).trimEnd());
    return EXIT.ok;
  }
  for (const line of problemLines(result)) world.out(line);
  return EXIT.failed;
}

/** Why the files of `server.tls` cannot be served with, as a reload would say; null when they can, or there are none. */
function certificateFault({ server }: Config): string | null {
  try {
    const certificate = loadCertificate(server.tls);
    return certificate === null ? null : (timeFault(certificate, Date.now())?.message ?? null);
  } catch (error) {
    if (error instanceof CertificateFault) return error.message;
    throw error;
  }
}
