import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./idleClients.mjs', import.meta.url));

/** Connections that send nothing, held by another process. */
export class IdleClients {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Resolves when all are open. */
  static async open(port: number, count: number): Promise<IdleClients> {
    const child = spawn(process.execPath, [SCRIPT, `${port}`, `${count}`], { stdio: ['pipe', 'pipe', 'inherit'] });
    const clients = new IdleClients(child);
    const { value } = await clients.#lines.next();
    if (value !== 'open') throw new Error('the clients could not connect');
    return clients;
  }

  /** Ends all at once. */
  async leave(): Promise<void> {
    this.#child.stdin.end();
    await once(this.#child, 'exit');
  }
}
