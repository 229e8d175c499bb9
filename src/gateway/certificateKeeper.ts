import { timeFault } from '../edge/certificate.ts';
import type { Certificate } from '../edge/certificate.ts';
import { loadCertificate } from '../edge/certificateFile.ts';
import type { EdgeServer } from '../edge/port.ts';
import { watchFile } from '../edge/watchFile.ts';
import type { TlsConfig } from '../config/tls.ts';
import type { GatewayWorld } from './node.ts';

/** A certificate that is ready to be served with. */
export interface Renewal {
  /** What changes, for the report of the reload. */
  readonly live: readonly string[];
  /** Puts it into force. */
  commit(): void;
}

/** Keeps the certificate of the client port as its files are. */
export class CertificateKeeper {
  readonly #world: Pick<GatewayWorld, 'clock' | 'log'>;
  readonly #onChange: () => void;
  #edge: EdgeServer | null = null;
  #stops: readonly (() => void)[] = [];

  /** @param onChange called after each change of a file that is served with */
  constructor(world: Pick<GatewayWorld, 'clock' | 'log'>, onChange: () => void) {
    this.#world = world;
    this.#onChange = onChange;
  }

  /** Takes a port that has just opened into its care. A certificate out of its time is served with, loudly: refusing would help nobody. */
  begin(edge: EdgeServer): void {
    this.#edge = edge;
    const { certificate } = edge;
    if (certificate === null) return;
    this.#tell(certificate, 'serving with this certificate');
    const fault = timeFault(certificate, this.#world.clock.wallMs());
    if (fault !== null) this.#world.log.error({ problem: fault.message }, `clients will refuse the certificate: ${fault.message}`);
    this.#watch(certificate.tls);
  }

  /**
   * Reads the files anew.
   * @throws CertificateFault when they cannot be served with or are out of their time; nothing is changed then
   */
  prepare(tls: TlsConfig): Renewal {
    const edge = this.#edge;
    const old = edge?.certificate ?? null;
    const next = old === null ? null : loadCertificate(tls);
    if (edge === null || old === null || next === null) return { live: [], commit: () => undefined };
    if (next.digest === old.digest) return { live: [], commit: () => this.#watch(tls) };
    const fault = timeFault(next, this.#world.clock.wallMs());
    if (fault !== null) throw fault;
    const use = edge.renew(next);
    return {
      live: ['renewed server.tls'],
      commit: () => {
        use();
        this.#tell(next, 'serving new connections with this certificate');
        this.#watch(tls);
      },
    };
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  #watch({ certFile, keyFile }: TlsConfig): void {
    this.stop();
    this.#stops = [certFile, keyFile].map((file) =>
      watchFile(file, this.#onChange, (reason) => this.#world.log.warn({ file, reason }, 'the file is not watched; SIGHUP reads it anew')),
    );
  }

  #tell({ tls, serialNumber, notAfterMs }: Certificate, text: string): void {
    this.#world.log.info({ certFile: tls.certFile, serialNumber, notAfter: new Date(notAfterMs).toISOString() }, text);
  }
}
