import { planReload } from '../config/live.ts';
import type { Config } from '../config/schema.ts';
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
  readonly chains: ChainSet;
  readonly server: Server;
  /** Puts the limits of the client port into force. */
  setLimits(server: Config['server']): void;
}

/** Takes over configurations one after the other, in the order in which they came. */
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
   * @throws Error, with nothing changed, when the nodes of a new chain without `chainId` disagree about it
   */
  reload(config: Config): Promise<ReloadReport> {
    const done = this.last.then(() => this.apply(config));
    this.last = done.catch(() => undefined);
    return done;
  }

  private async apply(wanted: Config): Promise<ReloadReport> {
    const { config, live, restart } = planReload(this.running, wanted);
    const { world, chains, server, setLimits } = this.parts;
    if (live.length > 0) {
      await chains.apply(config);
      server.reload(config);
      setLimits(config.server);
      this.running = config;
    }
    for (const change of live) world.log.info({ change }, 'reload');
    if (restart.length > 0) world.log.warn({ options: restart }, 'reload: these take a restart and are as before');
    return { live, restart };
  }
}
