// What is compared: each peer is started in front of the stub and tells its URL and pid.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accepts, end, freePort, has, run } from './procs.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
const file = (name, text) => {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
};

async function started(name, child, port) {
  try {
    await accepts(port, child);
  } catch (error) {
    await end(child);
    throw error;
  }
  return { name, child, url: `http://127.0.0.1:${port}/`, pid: child.pid };
}

export async function stub(costUs = 0, resultBytes = 66) {
  const port = await freePort();
  const child = run(process.execPath, [here('stub.mjs'), String(port), String(costUs), String(resultBytes)]);
  return { ...(await started('stub', child, port)), port };
}

export async function rawUws() {
  const port = await freePort();
  return { ...(await started('uws-raw', run(process.execPath, [here('raw.mjs'), String(port)]), port)), fixedId: 1 };
}

export async function haproxy(stubPort) {
  const program = has('haproxy');
  if (program === null) return null;
  const port = await freePort();
  const config = file(
    'haproxy.cfg',
    `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
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

export async function nginx(stubPort) {
  const program = has('nginx');
  if (program === null) return null;
  const port = await freePort();
  const config = file(
    'nginx.conf',
    `daemon off;
worker_processes 1;
pid ${scratch}/nginx.pid;
error_log stderr error;
events { worker_connections 4000; }
http {
  access_log off;
  client_body_temp_path ${scratch}/body;
  proxy_temp_path ${scratch}/proxy;
  keepalive_requests 1000000000;
  upstream u { server 127.0.0.1:${stubPort}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  );
  return started('nginx', run(program, ['-c', config, '-e', 'stderr']), port);
}

const EVERY_CALL_TO_THE_NODE = { cache: { enabled: false }, coalescing: { enabled: false } };

/**
 * @param upstream members of the upstream beside its URLs
 * @param chain members of the chain; by default every call goes to the node, as with the proxies beside it
 */
export async function tidegate(stubPort, engine, { name = `tidegate-${engine}`, upstream = {}, chain = EVERY_CALL_TO_THE_NODE } = {}) {
  const port = await freePort();
  const adminPort = await freePort();
  const node = `127.0.0.1:${stubPort}`;
  const config = {
    server: { port, engine },
    admin: { port: adminPort, tokenFile: '' },
    chains: [{ name: 'bench', ...chain, upstreams: [{ name: 'stub', http: `http://${node}`, ws: `ws://${node}`, ...upstream }] }],
  };
  const child = run(process.execPath, [here('../dist/main.js'), 'serve', '--config', file(`${name}.yaml`, JSON.stringify(config))]);
  const peer = await started(name, child, port);
  await ready(adminPort, child);
  return { ...peer, adminPort };
}

async function ready(adminPort, child) {
  const deadlineMs = performance.now() + 10_000;
  while (performance.now() < deadlineMs && child.exitCode === null) {
    const ok = await fetch(`http://127.0.0.1:${adminPort}/readyz`).then(
      (r) => r.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await end(child);
  throw new Error(`tidegate is not ready: ${child.tail}`);
}
