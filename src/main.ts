#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { EXIT } from './cli/ports.ts';
import type { Parts, World } from './cli/ports.ts';
import { plainProgress } from './cli/progress.ts';
import { runCli } from './cli/run.ts';
import { watchFile } from './edge/watchFile.ts';
import { startGateway } from './gateway/gateway.ts';
import { isWorker, serveAsWorker } from './gateway/workers/serveAsWorker.ts';
import { createLogger } from './observe/log.ts';

const INLINING = '--max-inlined-bytecode-size-cumulative';
// The way of a call leads through many small functions, more than V8 puts into one by default (920): 4 to 7 % of the processor time of a call.
// Not over what this process was started with.
if (!process.execArgv.some((flag) => flag.replaceAll('_', '-').startsWith(INLINING))) setFlagsFromString(`${INLINING}=2000`);

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

const FETCH_TIMEOUT_MS = 5000;

const world: World = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  progress: process.stderr.isTTY ? (line) => void process.stderr.write(`\r\u001b[K${line}`) : plainProgress((line) => void process.stderr.write(`${line}\n`), () => performance.now()),
  env: process.env,
  readFile: (path) => readFile(path, 'utf8'),
  async fetchText(url, sent) {
    const { timeoutMs = FETCH_TIMEOUT_MS, ...what } = sent ?? {};
    const answer = await fetch(url, { ...what, signal: AbortSignal.timeout(timeoutMs), redirect: 'error' });
    return { status: answer.status, body: await answer.text() };
  },
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  nowMs: () => Date.now(),
  async confirm(question) {
    if (!process.stdin.isTTY) return null;
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
    } finally {
      lines.close();
    }
  },
  runSelf(words) {
    const child = spawn(process.execPath, [process.argv[1] ?? '', ...words], { stdio: ['ignore', 'inherit', 'inherit'] });
    const ended = new Promise<number | string>((done) => {
      child.once('exit', (code, signal) => done(signal ?? code ?? -1));
      child.once('error', (error) => done(error.message));
    });
    return { ended, kill: (signal) => void child.kill(signal) };
  },
  onSignal(listener) {
    process.on('SIGINT', listener);
    process.on('SIGTERM', listener);
    return () => {
      process.off('SIGINT', listener);
      process.off('SIGTERM', listener);
    };
  },
  onHangup(listener) {
    process.on('SIGHUP', listener);
    return () => process.off('SIGHUP', listener);
  },
  onFileChange: watchFile,
};

const parts: Parts = {
  version,
  startGateway: (config, deps) => startGateway(config, { ...deps, version, workerFile: fileURLToPath(import.meta.url) }),
  createLogger,
  // loaded when asked for: without them the gateway starts some 200 ms sooner
  demoNodes: async (count) => (await import('./demo/net.ts')).demoNodes(count),
  startDemoNet: async (nodes, options) => (await import('./demo/net.ts')).startDemoNet(nodes, options),
  startController: async (config, deps) => (await import('./controller/controller.ts')).startController(config, deps),
  planOnce: async (config, deps) => (await import('./controller/controller.ts')).planOnce(config, deps),
};

if (isWorker()) serveAsWorker({ version, createLogger });
else {
  runCli(process.argv.slice(2), world, parts)
    .catch((error: unknown) => {
      world.err(`tidegate: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return EXIT.failed;
    })
    .then((code) => process.exit(code));
}
