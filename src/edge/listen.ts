import { createServer } from 'node:net';
import type { EdgeLog, EdgeOptions } from './limits.ts';
import { NodeEngine } from './nodeEngine.ts';
import type { EdgeHandler, EdgeServer } from './port.ts';
import { UwsEngine } from './uwsEngine.ts';
import { loadUws } from './uwsLoad.ts';
import type { UwsModule } from './uwsLoad.ts';

/**
 * Starts an engine and listens.
 * @throws Error naming host and port when it cannot bind, or when `engine: uws` cannot load its native library
 */
export async function listen(options: EdgeOptions, handler: EdgeHandler, log: EdgeLog): Promise<EdgeServer> {
  const uws = options.engine === 'node' ? null : tryUws(options, log);
  if (uws === null) {
    const server = new NodeEngine(options, handler, log);
    await server.listen().catch((error: NodeJS.ErrnoException) => {
      throw bindError(options, error);
    });
    return server;
  }
  // uws shares a port with another process of the same user without a word.
  if (options.port !== 0) await provePortFree(options);
  const server = new UwsEngine(uws, options, handler, log);
  if (!server.listen()) throw bindError(options, { code: 'EADDRNOTAVAIL' });
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

/** Binds the port alone for a moment. Rejects with the reason when somebody else has it. */
async function provePortFree(options: EdgeOptions): Promise<void> {
  const trial = createServer();
  await new Promise<void>((resolve, reject) => {
    trial.once('error', (error) => reject(bindError(options, error)));
    trial.listen({ host: options.host, port: options.port, exclusive: true }, () => trial.close(() => resolve()));
  });
}

function bindError(options: EdgeOptions, error: NodeJS.ErrnoException | { readonly code: string }): Error {
  const advice: Record<string, string> = {
    EADDRINUSE: 'the port is in use; stop the program that has it, or set server.port to another (0 picks a free one)',
    EACCES: 'not permitted; ports below 1024 need privileges, set server.port to a higher one',
    EADDRNOTAVAIL: 'this machine has no such address; set server.host to one of its own',
    ENOTFOUND: 'the host name is unknown; set server.host to an address of this machine',
  };
  const reason = advice[error.code ?? ''] ?? error.code ?? 'unknown reason';
  return new Error(`cannot listen on ${options.host}:${options.port}: ${reason}`, { cause: error });
}
