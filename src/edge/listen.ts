import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { bindError } from './bindError.ts';
import type { Certificate } from './certificate.ts';
import { loadCertificate } from './certificateFile.ts';
import type { EdgeLog, EdgeOptions } from './limits.ts';
import { NodeEngine } from './nodeEngine.ts';
import type { EdgeHandler, EdgeServer } from './port.ts';
import { UwsEngine } from './uwsEngine.ts';
import { loadUws } from './uwsLoad.ts';
import type { UwsModule } from './uwsLoad.ts';

/** A port that several processes of this program listen on; it was proved to be free for them. */
export interface SharedPort {
  readonly certificate: Certificate | null;
}

/**
 * Starts an engine and listens.
 * @throws CertificateFault for files of `server.tls` that cannot be served with; Error naming host and port when it cannot bind, or when `engine: uws` cannot load its native library
 */
export async function listen(options: EdgeOptions, handler: EdgeHandler, log: EdgeLog, shared?: SharedPort): Promise<EdgeServer> {
  const certificate = shared === undefined ? loadCertificate(options.tls) : shared.certificate;
  const uws = options.engine === 'node' ? null : tryUws(options, log);
  if (uws === null) {
    const server = new NodeEngine(options, certificate, handler, log);
    await server.listen(shared !== undefined).catch((error: NodeJS.ErrnoException) => {
      throw bindError('server', options, error);
    });
    return server;
  }
  // uws shares a port with another process of the same user without a word.
  const port = shared === undefined ? await findPort(options) : options.port;
  const server = new UwsEngine({ uws, certificate }, options, handler, log);
  if (!server.listen(port)) throw bindError('server', options, { code: 'EADDRNOTAVAIL' });
  return server;
}

function tryUws(options: EdgeOptions, log: EdgeLog): UwsModule | null {
  try {
    return loadUws();
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1) ?? '';
    if (options.engine === 'uws') {
      throw new Error(`server.engine is uws, but uWebSockets.js cannot load: ${reason}; use engine: auto or node`, {
        cause: error,
      });
    }
    log.info({ engine: 'node', reason }, 'uWebSockets.js cannot load here; serving with node:http, which is slower');
    return null;
  }
}

/**
 * Binds the port, or any where it is 0, alone for a moment and gives it.
 * @throws Error naming host and port when somebody else has it, or it cannot be bound
 */
export async function findPort(options: Pick<EdgeOptions, 'host' | 'port'>): Promise<number> {
  const trial = createServer();
  return new Promise((resolve, reject) => {
    trial.once('error', (error) => reject(bindError('server', options, error as NodeJS.ErrnoException)));
    trial.listen({ host: options.host, port: options.port, exclusive: true }, () => {
      const { port } = trial.address() as AddressInfo;
      trial.close(() => resolve(port));
    });
  });
}
