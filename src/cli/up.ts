import type { UpCommand } from './args.ts';
import { runUntilSignal } from './lifetime.ts';
import type { ChildRun, World } from './ports.ts';

const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 30_000;
/** A child that ends sooner than this after its first start had something wrong with it from the beginning. */
const EARLY_MS = 5000;

/** One of the two processes: started again when it ends unasked, each time after a longer wait. */
class Child {
  readonly #words: readonly string[];
  readonly #world: World;
  #run: ChildRun | null = null;
  #closing = false;

  constructor(words: readonly string[], world: World) {
    this.#words = words;
    this.#world = world;
  }

  /** Resolves when it is over for good. @throws Error when it ended early at its first start */
  async live(): Promise<void> {
    let waitMs = RETRY_MIN_MS;
    for (let runs = 0; !this.#closing; runs++) {
      const beganMs = this.#world.nowMs();
      this.#run = this.#world.runSelf(this.#words);
      const code = await this.#run.ended;
      if (this.#closing) return;
      const ranMs = this.#world.nowMs() - beganMs;
      if (runs === 0 && ranMs < EARLY_MS) throw new Error(`tidegate ${this.#words[0]} ended with ${code}`);
      waitMs = ranMs > RETRY_MAX_MS ? RETRY_MIN_MS : Math.min(RETRY_MAX_MS, 2 * waitMs);
      this.#world.err(`tidegate: ${this.#words[0]} ended with ${code}; started again in ${waitMs / 1000} s`);
      await this.#world.pause(waitMs);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#run?.kill('SIGTERM');
    await this.#run?.ended;
  }

  hangUp(): void {
    this.#run?.kill('SIGHUP');
  }
}

/** Runs gateway and controller as two processes of one tree until a signal; one that ends is started again. */
export async function up({ config }: UpCommand, world: World): Promise<number> {
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const children = [new Child(['serve', '--config', config], world), new Child(['control', '--config', config], world)];
  const closeAll = async (): Promise<void> => {
    // the controller first: it would take the end of the gateway for trouble
    for (const child of children.toReversed()) await child.close();
  };
  const unhang = world.onHangup(() => children[0]?.hangUp());
  const running = runUntilSignal(world, async () => {
    for (const child of children) child.live().catch(fail);
    return { close: closeAll };
  });
  try {
    return await Promise.race([running, failed]);
  } catch (error) {
    world.err(`tidegate: ${error instanceof Error ? error.message : String(error)}`);
    await closeAll();
    return 1;
  } finally {
    unhang();
  }
}
