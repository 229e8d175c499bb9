import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { RawClient } from './raw.ts';
import { findProgram } from './require.ts';

export type ProxyName = 'nginx' | 'haproxy';

/** A reverse proxy with its usual settings in front of a back end that takes anything. */
export interface FrontProxy {
  /** Sends raw bytes; true when any byte of them came through to the back end. */
  lets(bytes: string): Promise<boolean>;
  stop(): Promise<void>;
}

const nginxConfig = (folder: string): string => `
daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
events {}
http {
  access_log off; client_header_timeout 1s; client_body_timeout 1s; client_max_body_size 64k;
  large_client_header_buffers 4 32k;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server { listen unix:${folder}/front; location / { proxy_pass http://unix:${folder}/back:; } }
}`;

const haproxyConfig = (folder: string): string => `
global
  tune.bufsize 65536
defaults
  mode http
  timeout client 1s
  timeout http-request 1s
  timeout connect 1s
  timeout server 5s
frontend front
  bind unix@${folder}/front
  default_backend back
backend back
  server one unix@${folder}/back
`;

export async function startProxy(name: ProxyName): Promise<FrontProxy> {
  const folder = mkdtempSync(join(tmpdir(), `tidegate-${name}-`));
  const file = join(folder, 'config');
  writeFileSync(file, name === 'nginx' ? nginxConfig(folder) : haproxyConfig(folder));
  let seenBytes = 0;
  const back = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
    socket.on('data', (bytes) => {
      seenBytes += bytes.length;
    });
  }).listen(join(folder, 'back'));
  await once(back, 'listening');
  const args = name === 'nginx' ? ['-p', folder, '-e', join(folder, 'error.log'), '-c', file] : ['-db', '-q', '-f', file];
  const child = spawn(findProgram(name) ?? name, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const front = join(folder, 'front');
  const probe = await vi.waitFor(() => RawClient.open(front), { timeout: 10_000, interval: 20 });
  probe.leave();
  return {
    lets: async (bytes) => {
      seenBytes = 0;
      const client = await RawClient.open(front);
      client.write(bytes);
      await client.response({ bodiless: bytes.startsWith('HEAD') }).catch(() => null);
      client.leave();
      return seenBytes > 0;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      await new Promise((resolve) => back.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
