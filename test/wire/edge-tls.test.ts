import { readFileSync, writeFileSync } from 'node:fs';
import { createPrivateKey } from 'node:crypto';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EdgeOptions } from '../../src/edge/limits.ts';
import { loadCertificate } from '../../src/edge/certificateFile.ts';
import { ENGINES, startEdge } from '../help/edge.ts';
import type { TestEdge } from '../help/edge.ts';
import { post, RawClient } from '../help/raw.ts';
import { makePair, TlsFiles } from '../help/tls.ts';
import type { Pair } from '../help/tls.ts';

let first: Pair;
let second: Pair;
beforeAll(async () => {
  [first, second] = await Promise.all([makePair(), makePair()]);
});

describe.each(ENGINES)('TLS on %s', (engine) => {
  let files: TlsFiles;
  let edge: TestEdge;
  afterEach(async () => {
    await edge?.server.drain(0);
    files?.remove();
  });

  const start = async (tls: object = {}, more: Partial<EdgeOptions> = {}): Promise<void> => {
    files = await TlsFiles.make(first);
    edge = await startEdge(engine, { ...more, tls: { ...files.tls, ...tls } });
  };
  const open = (options: ConnectionOptions = {}): Promise<RawClient> => RawClient.openTls(edge.server.port, { ca: files.ca, ...options });
  const ask = async (client: RawClient, body = 'hi'): Promise<string | undefined> => {
    client.write(post(body));
    return (await client.response())?.body.toString();
  };
  const secure = ({ socket }: RawClient): TLSSocket => socket as TLSSocket;
  const serialOf = (client: RawClient): string => secure(client).getPeerCertificate().serialNumber;
  const renew = (pair: Pair): void => {
    files.put(pair);
    const certificate = loadCertificate({ ...files.tls });
    if (certificate === null) throw new Error('no certificate');
    edge.server.renew(certificate)();
  };

  it('serves clients that check the certificate, by name and by address', async () => {
    await start();
    expect(edge.server.certificate?.serialNumber).toBe(first.serialNumber);
    for (const name of [{}, { servername: 'localhost' }]) {
      const client = await open(name);
      expect([await ask(client), await ask(client, 'again')]).toEqual(['"hi"', '"again"']);
      expect([serialOf(client), secure(client).authorized, secure(client).getProtocol()]).toEqual([first.serialNumber, true, 'TLSv1.3']);
    }
    expect(edge.handler.seen[0]?.remoteAddress).toBe('127.0.0.1');
    await expect(open({ ca: second.cert })).rejects.toThrow(/self-signed|SELF_SIGNED/);
  });

  it('moves large bodies both ways', async () => {
    await start({}, { maxBodyBytes: 8_000_000, gzipAboveBytes: 0 });
    const body = 'x'.repeat(5_000_000);
    expect((await ask(await open(), body))?.length).toBe(body.length + 2);
  });

  it.each<[ConnectionOptions, string | false]>([
    [{ ALPNProtocols: ['http/1.1'] }, 'http/1.1'],
    [{ ALPNProtocols: ['h2', 'http/1.1'] }, 'http/1.1'],
    [{}, false],
  ])('speaks HTTP/1.1 to a client that offers %j', async (offer, chosen) => {
    await start();
    const client = await open(offer);
    expect(await ask(client)).toBe('"hi"');
    // uWebSockets.js leaves the offer unanswered, which by RFC 7301 means the protocol of the port
    expect(secure(client).alpnProtocol).toBe(engine === 'node' ? chosen : false);
  });

  it('refuses TLS 1.1, and TLS 1.2 only where minVersion says so', async () => {
    await start();
    const old: ConnectionOptions = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    await expect(open(old)).rejects.toThrow(/protocol version/i);
    expect(await ask(await open({ maxVersion: 'TLSv1.2' }))).toBe('"hi"');
    const [server, port] = [edge.server, files];
    edge = await startEdge(engine, { tls: { ...port.tls, minVersion: 'TLSv1.3' } });
    await expect(open({ maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version|handshake failure/i);
    expect(await ask(await open())).toBe('"hi"');
    await server.drain(0);
  });

  it('opens an encrypted key', async () => {
    files = await TlsFiles.make(first);
    const passphrase = 'sesame and more';
    writeFileSync(files.tls.keyFile, createPrivateKey(first.key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }));
    edge = await startEdge(engine, { tls: { ...files.tls, passphrase } });
    expect(await ask(await open())).toBe('"hi"');
  });

  it('closes a connection of plain HTTP or of garbage, and serves the others', async () => {
    await start();
    const other = await open();
    for (const bytes of [post('plain'), '\x16\x03\x01\xff\xff garbage', '\0'.repeat(5000)]) {
      const client = await RawClient.open(edge.server.port);
      client.write(bytes);
      await client.closed;
      expect(client.leftover).not.toContain('HTTP/1.1 200');
    }
    expect(await ask(other)).toBe('"hi"');
    expect(edge.handler.bodies).toEqual(['hi']);
    await expect.poll(() => edge.server.connections()).toBe(1);
  });

  it('counts and ends connections that never finish their handshake', async () => {
    await start();
    const silent = await Promise.all([1, 2, 3].map(() => RawClient.open(edge.server.port)));
    await expect.poll(() => edge.server.connections()).toBe(3);
    await edge.server.drain(20_000);
    await Promise.all(silent.map(({ closed }) => closed));
    expect(edge.server.connections()).toBe(0);
  });

  it('answers what is under way before it drains', async () => {
    await start();
    edge.handler.reply = () => null;
    const client = await open();
    client.write(post('held'));
    const held = await (await edge.handler.request(0)).whole;
    const drained = edge.server.drain(20_000);
    held.exchange?.answer({ status: 200, headers: [], body: 'finished' });
    expect((await client.response())?.body.toString()).toBe('finished');
    await drained;
    await client.closed;
  });

  it('meets new connections with a renewed certificate and keeps those that are open', async () => {
    await start();
    const before = await open();
    edge.handler.reply = () => null;
    before.write(post('held'));
    const held = await (await edge.handler.request(0)).whole;
    const { port } = edge.server;
    for (const pair of [second, first, second]) {
      renew(pair);
      await expect.poll(async () => serialOf(await open({ rejectUnauthorized: false }))).toBe(pair.serialNumber);
    }
    expect([edge.server.certificate?.serialNumber, edge.server.port]).toEqual([second.serialNumber, port]);
    edge.handler.reply = ({ body }) => ({ status: 200, headers: [], body: `${body}` });
    held.exchange?.answer({ status: 200, headers: [], body: 'kept' });
    expect((await before.response())?.body.toString()).toBe('kept');
    expect(await ask(before, 'more')).toBe('more');
    expect(serialOf(before)).toBe(first.serialNumber);
    // those of earlier certificates are drained too
    await edge.server.drain(20_000);
    await before.closed;
    await expect(RawClient.open(port)).rejects.toThrow('ECONNREFUSED');
  });

  it.each<[string, (files: TlsFiles) => void, RegExp]>([
    ['no such file', (all) => all.write('certFile', ''), /server\.tls\.certFile: .*tls\.crt: holds no PEM certificate/],
    ['the key of another', (all) => all.write('keyFile', second.key), /server\.tls\.keyFile: .*tls\.key: is not the key of the certificate in .*tls\.crt/],
    ['a key that is none', (all) => all.write('keyFile', 'secret stuff'), /server\.tls\.keyFile: .*tls\.key: holds no PEM private key/],
  ])('does not start with %s', async (_name, spoil, expected) => {
    files = await TlsFiles.make(first);
    spoil(files);
    const failed = await startEdge(engine, { tls: files.tls }).catch((error: Error) => error);
    expect(String(failed)).toMatch(expected);
    expect(String(failed)).not.toContain(readFileSync(files.tls.keyFile, 'utf8').split('\n')[1] ?? 'secret stuff');
  });
});
