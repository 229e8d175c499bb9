import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Docker from 'dockerode';

/** A Docker engine of the test's own, on a socket in a directory of its own. */
export interface DockerEngine {
  readonly socketPath: string;
  readonly docker: Docker;
  /** Makes an image of these programs and the libraries they load. */
  importPrograms(image: string, programs: readonly string[]): Promise<void>;
  dispose(): Promise<void>;
}

const stop = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

/** Starts one; `ownMounts`: what is mounted later it does not see. Needs root and Debian's `docker.io`. */
export async function startDockerEngine({ ownMounts = false } = {}): Promise<DockerEngine> {
  const dir = mkdtempSync(join(tmpdir(), 'tidegate-docker-'));
  const socketPath = join(dir, 'docker.sock');
  const args = ['--iptables=false', '--bridge=none', '--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec'), '--pidfile', join(dir, 'pid'), '-H', `unix://${socketPath}`];
  const [program = '', ...words] = [...(ownMounts ? ['unshare', '--mount', '--propagation', 'private'] : []), 'dockerd', ...args];
  const engine = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` } });
  let said = '';
  engine.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  const ended = new Promise<void>((done) => engine.once('close', () => done()));
  const docker = new Docker({ socketPath });
  while (!(await docker.ping().then(() => true, () => false))) {
    if (engine.exitCode !== null) throw new Error(`dockerd ended: ${said}`);
    await stop(50);
  }
  return {
    socketPath,
    docker,
    importPrograms: (image, programs) => importPrograms(docker, join(dir, image), image, programs),
    dispose: async () => {
      engine.kill('SIGTERM');
      await ended;
      const left = join(dir, 'exec', 'netns', 'default');
      if (!ownMounts && existsSync(left)) execFileSync('umount', [left], { stdio: 'ignore' });
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function importPrograms(docker: Docker, root: string, image: string, programs: readonly string[]): Promise<void> {
  mkdirSync(join(root, 'tmp'), { recursive: true });
  const files = programs.flatMap((program) => {
    const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
    return [program, ...libraries];
  });
  for (const file of new Set(files)) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    execFileSync('cp', ['-L', file, join(root, file)]);
  }
  const tar = spawn('tar', ['-C', root, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const answer = await docker.importImage(tar.stdout, { repo: image, fromSrc: '-' } as never);
  await new Promise((done, failed) => docker.modem.followProgress(answer as unknown as NodeJS.ReadableStream, (error) => (error === null ? done(null) : failed(error))));
}
