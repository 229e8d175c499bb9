// What is compared: each peer is started in front of the stub and tells its URL and pid.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accepts, end, freePort, has, run } from './procs.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** Folder for files of one run. */
export const scratch = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
// nginx's workers are of another user
chmodSync(scratch, 0o755);
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** Writes a file for a program. @returns its path */
export const file = (name, text) => {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
};

/** Waits until the program accepts. `everyMs`: how often that is tried. */
export async function started(name, child, port, everyMs) {
  try {
    await accepts(port, child, everyMs);
  } catch (error) {
    await end(child);
    throw error;
  }
  return { name, child, url: `http://127.0.0.1:${port}/`, pid: child.pid, port };
}

/** A stub node; `set`: what stub.mjs takes. */
export async function stub(set = {}, name = 'stub') {
  const port = await freePort();
  return started(name, run(process.execPath, [here('stub.mjs'), String(port), JSON.stringify(set)]), port);
}

/** A uWebSockets.js server with a fixed answer to id 1: a ceiling, no gateway. */
export async function rawUws(resultBytes = 66) {
  const port = await freePort();
  const child = run(process.execPath, [here('raw.mjs'), String(port), String(resultBytes)]);
  return { ...(await started('uws-raw', child, port)), fixedId: 1 };
}

/** HAProxy with one thread by default, or null where it is not installed. */
export async function haproxy(stubPort, { workers = 1 } = {}) {
  const program = has('haproxy');
  if (program === null) return null;
  const port = await freePort();
  const config = file(
    `haproxy-${port}.cfg`,
    `global
  nbthread ${workers}
  maxconn 4000
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
  option http-keep-alive
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  http-reuse always
  server s 127.0.0.1:${stubPort}
`,
  );
  return started('haproxy', run(program, ['-db', '-f', config]), port);
}

/** nginx with one worker by default, or null. `isCaching`: it answers the same body from a proxy_cache in memory. */
export async function nginx(stubPort, { isCaching = false, workers = 1 } = {}) {
  const program = has('nginx');
  if (program === null) return null;
  const port = await freePort();
  const own = join(scratch, `nginx-${port}`);
  const cachePath = `proxy_cache_path ${own}-cache levels=1:2 keys_zone=answers:16m max_size=512m inactive=1h use_temp_path=off;`;
  const cacheUse = 'proxy_cache answers; proxy_cache_methods POST; proxy_cache_key "$request_uri|$request_body"; proxy_cache_valid 200 1h; proxy_cache_lock on;';
  const config = file(
    `nginx-${port}.conf`,
    `daemon off;
worker_processes ${workers};
worker_rlimit_nofile 20000;
pid ${own}.pid;
error_log stderr error;
events { worker_connections 16000; }
http {
  access_log off;
  client_body_temp_path ${own}-body;
  client_body_buffer_size 64k;
  client_max_body_size 64m;
  proxy_temp_path ${own}-proxy;
  keepalive_requests 1000000000;
  ${isCaching ? cachePath : ''}
  upstream u { server 127.0.0.1:${stubPort}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / { ${isCaching ? cacheUse : ''} proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  );
  const peer = await started(isCaching ? 'nginx-cache' : 'nginx', run(program, ['-c', config, '-e', 'stderr']), port);
  // a cache answers with the id of the call that filled it
  return isCaching ? { ...peer, fixedId: 1 } : peer;
}

const EVERY_CALL_TO_THE_NODE = { cache: { enabled: false }, coalescing: { enabled: false } };

/** The members of an upstream for a stub on this port. */
export const upstreamAt = (stubPort, name = 'stub') => ({ name, http: `http://127.0.0.1:${stubPort}`, ws: `ws://127.0.0.1:${stubPort}` });

/**
 * @param upstream members of the upstream beside its URLs
 * @param upstreams all upstreams instead of the one at `stubPort`
 * @param chain members of the chain; by default every call goes to the node, as with the proxies beside it
 * @param server members of `server` beside port and engine
 */
export async function tidegate(stubPort, engine, options = {}) {
  const { name = `tidegate-${engine}`, upstream = {}, upstreams, chain = EVERY_CALL_TO_THE_NODE, server = {}, isReady = ready } = options;
  const port = await freePort();
  const adminPort = await freePort();
  const config = {
    server: { port, engine, ...server },
    admin: { port: adminPort, tokenFile: '' },
    chains: [{ name: 'bench', ...chain, upstreams: upstreams ?? [{ ...upstreamAt(stubPort), ...upstream }] }],
  };
  const configFile = file(`tidegate-${port}.yaml`, JSON.stringify(config));
  const child = run(process.execPath, [here('../dist/main.js'), 'serve', '--config', configFile]);
  const peer = await started(name, child, port);
  await isReady(adminPort, child);
  return { ...peer, adminPort, config, configFile };
}

async function ready(adminPort, child) {
  const deadlineMs = performance.now() + 10_000;
  while (performance.now() < deadlineMs && child.exitCode === null) {
    const ok = await fetch(`http://127.0.0.1:${adminPort}/readyz`).then(
      (r) => r.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await end(child);
  throw new Error(`tidegate is not ready: ${child.tail}`);
}
