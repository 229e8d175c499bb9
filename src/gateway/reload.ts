import { planReload } from '../config/live.ts';
import { problemText } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import type { Unfit, Wanted } from '../config/wanted.ts';
import { CertificateFault } from '../edge/certificate.ts';
import type { CertificateKeeper } from './certificateKeeper.ts';
import type { ChainSet } from './chainSet.ts';
import type { GatewayWorld } from './node.ts';
import type { Server } from './serve.ts';

/** What a reload came to. */
export interface ReloadReport {
  /** What has changed, such as `added chains.ethereum.upstreams.a`. */
  readonly live: readonly string[];
  /** What was asked for and takes a restart, such as `server.port`; it is as before. */
  readonly restart: readonly string[];
}

/** The parts of the gateway that a reload changes. */
export interface ReloadParts {
  readonly world: GatewayWorld;
  readonly chains: Pick<ChainSet, 'apply'>;
  readonly server: Pick<Server, 'reload'>;
  /** Puts the limits of the client port into force. */
  setLimits(server: Config['server']): void;
  readonly certificates: Pick<CertificateKeeper, 'prepare'>;
}

/** Takes over configurations one after the other, in the order in which they were asked for. */
export class Reloader {
  private readonly parts: ReloadParts;
  private running: Config;
  private last: Promise<unknown> = Promise.resolve();

  /** @param running what runs now */
  constructor(running: Config, parts: ReloadParts) {
    this.running = running;
    this.parts = parts;
  }

  /** What is in force. */
  get config(): Config {
    return this.running;
  }

  /**
   * Applies what can be changed live and names the rest, without dropping a call.
   * @throws Error, with nothing changed, when the nodes of a new chain without `chainId` disagree about it, or the files of
   * `server.tls` cannot be served with
   */
  reload(config: Config): Promise<ReloadReport> {
    return this.inTurn(() => this.apply(config));
  }

  /**
   * As `reload`, of what `source` gives once its turn has come; what is wrong with it is logged and changes nothing.
   * @param source gets what is in force then
   */
  take(source: (running: Config) => Wanted | Promise<Wanted>): Promise<ReloadReport | Unfit> {
    return this.inTurn(async () => {
      const wanted = await source(this.running);
      const done = 'problems' in wanted ? wanted : await this.tryApply(wanted.config);
      this.tell(done);
      return done;
    });
  }

  private inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.last.then(run);
    this.last = done.catch(() => undefined);
    return done;
  }

  private async tryApply(config: Config): Promise<ReloadReport | Unfit> {
    try {
      return await this.apply(config);
    } catch (error) {
      if (error instanceof CertificateFault) return { place: error.file, problems: [{ path: error.option, line: 0, column: 0, message: error.reason }] };
      const message = error instanceof Error ? error.message : String(error);
      return { place: 'nodes', problems: [{ path: '', line: 0, column: 0, message }] };
    }
  }

  private async apply(wanted: Config): Promise<ReloadReport> {
    const { config, live, restart } = planReload(this.running, wanted);
    const { chains, server, setLimits, certificates } = this.parts;
    // its files can have changed without an option
    const renewal = certificates.prepare(config.server.tls);
    if (live.length > 0) {
      await chains.apply(config);
      server.reload(config);
      setLimits(config.server);
      this.running = config;
    }
    renewal.commit();
    return { live: [...live, ...renewal.live], restart };
  }

  private tell(done: ReloadReport | Unfit): void {
    const { log } = this.parts.world;
    if ('problems' in done) {
      for (const problem of done.problems) {
        const text = problemText(problem, done.place);
        log.error({ problem: text }, `reload refused, nothing is changed: ${text}`);
      }
      return;
    }
    const { live, restart } = done;
    if (restart.length > 0) log.warn({ options: restart }, 'reload: these take a restart and are as before');
    log.info({ live, restart }, live.length + restart.length === 0 ? 'reload: nothing has changed' : 'reload: done');
  }
}
