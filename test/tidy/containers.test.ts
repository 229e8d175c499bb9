import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { DEFAULTS } from '../../src/config/defaults.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { readText, ROOT } from './tree.ts';

interface Service {
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
  readonly stop_grace_period?: string;
}

const { services, networks, volumes } = parse(readText('config/compose.yaml')) as {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  volumes: Record<string, null>;
};
const dockerfile = readText('Dockerfile');
const container = parseConfig(readText('config/container.yaml'), {});

describe('config/compose.yaml', () => {
  test('mounts what exists', () => {
    const sources = Object.values(services).flatMap((service) =>
      service.volumes.map((volume) => volume.split(':')[0] ?? ''),
    );
    const missing = sources.filter((source) =>
      source.startsWith('.') ? !existsSync(join(ROOT, 'config', source)) : !Object.hasOwn(volumes, source),
    );
    expect(missing).toEqual([]);
  });

  test('lets only this machine in, and nobody to the admin port', () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    expect(services['edge']?.ports).toEqual([`127.0.0.1:${DEFAULTS.server.port}:${DEFAULTS.server.port}`]);
    expect(networks['admin']).toEqual({ internal: true });
    expect(services['prometheus']?.networks).toEqual(['admin']);
  });

  test('gives the gateway the time to drain', () => {
    expect(Number.parseInt(services['edge']?.stop_grace_period ?? '', 10) * 1000).toBeGreaterThan(
      DEFAULTS.server.drainTimeoutMs,
    );
  });

  test('runs a gateway that Prometheus finds', () => {
    expect(Object.keys(services)).toContain('edge');
    expect(readText('config/prometheus/prometheus.yaml')).toContain(`edge:${DEFAULTS.admin.port}"`);
    expect(container).toMatchObject({
      ok: true,
      config: { server: { host: '0.0.0.0' }, admin: { host: '0.0.0.0', port: DEFAULTS.admin.port } },
    });
  });
});

describe('Dockerfile', () => {
  test('asks the admin port for its health', () => {
    expect(dockerfile).toContain(`http://127.0.0.1:${DEFAULTS.admin.port}/livez`);
    expect(dockerfile).toContain(`EXPOSE ${DEFAULTS.server.port} ${DEFAULTS.admin.port}`);
  });

  test('copies what .dockerignore lets through', () => {
    const passed = readText('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    expect(copied.toSorted()).toEqual(passed.toSorted());
    expect(passed.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
