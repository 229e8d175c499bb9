import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ENGINES } from '../help/edge.ts';
import { frame, openRaw } from '../help/frames.ts';
import { testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { ScriptNode } from '../help/scriptNode.ts';
import { SocketNode } from '../help/socketNode.ts';

const MAX_BYTES = 4096;
const closers: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of closers.splice(0).reverse()) await each.close();
});

const call = (id: string, more = ''): string => `{"jsonrpc":"2.0","id":${id},"method":"eth_getBalance","params":["0x${'0'.repeat(40)}","latest"]${more}}`;
const bytes = (...parts: (string | number[])[]): Buffer => Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));
const [before, behind] = call('1').split('"latest"') as [string, string];
/** A call with these bytes in a text among its params. */
const withBytes = (...odd: number[]): Buffer => bytes(before, '"', odd, '"', behind);
const pieces = (text: string): Buffer => Buffer.concat([frame(0x01, text.slice(0, 20)), frame(0x00, text.slice(20, 40)), frame(0x80, text.slice(40))]);

/** A frame that announces more bytes than it brings. */
const announced = (lengthBytes: number): Buffer => {
  const head = Buffer.alloc(14);
  head[0] = 0x81;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(lengthBytes), 2);
  return head;
};

const FRAMES: readonly (readonly [string, Buffer])[] = [
  ['text that is not UTF-8', frame(0x81, withBytes(0xff, 0xfe))],
  ['text with an overlong form', frame(0x81, withBytes(0xc0, 0xaf))],
  ['text with half a surrogate pair', frame(0x81, withBytes(0xed, 0xa0, 0x80))],
  ['text that ends within a character', frame(0x81, bytes(call('1'), [0xe2, 0x82]))],
  ['a character that is cut by the end of its message', Buffer.concat([frame(0x01, withBytes(0xe2)), frame(0x80, '')])],
  ['binary that is not UTF-8', frame(0x82, withBytes(0xff, 0xfe))],
  ['binary in UTF-16', frame(0x82, Buffer.from(call('1'), 'utf16le'))],
  ['binary zeros', frame(0x82, Buffer.alloc(64))],
  ['a byte order mark', frame(0x81, bytes([0xef, 0xbb, 0xbf], call('1')))],
  ['pieces of bad JSON', pieces(`${call('1')}}`)],
  ['pieces that end too soon', pieces(call('1').slice(0, -1))],
  ['two calls in one message', frame(0x81, `${call('1')}${call('2')}`)],
  ['a raw line break in a text', frame(0x81, call('1').replace('latest', 'la\ntest'))],
  ['a NUL in a text', frame(0x81, call('1').replace('latest', 'la\0test'))],
  ['a half escape', frame(0x81, call('1').replace('latest', '\\u12'))],
  ['a name twice', frame(0x81, call('1', ',"method":"eth_sendRawTransaction"'))],
  ['a trailing comma', frame(0x81, call('1', ','))],
  ['an empty message', frame(0x81, '')],
  ['a batch with a bad entry at its end', frame(0x81, `[${call('1')},${call('2')},]`)],
  ['a reserved bit', frame(0xc1, call('1'))],
  ['two reserved bits', frame(0xb1, call('1'))],
  ['a reserved opcode', frame(0x83, call('1'))],
  ['a continuation of nothing', frame(0x80, call('1'))],
  ['a text within a text', Buffer.concat([frame(0x01, call('1').slice(0, 30)), frame(0x81, call('1'))])],
  ['more bytes than allowed', frame(0x81, call(`"${'x'.repeat(MAX_BYTES)}"`))],
  ['more bytes than allowed, in pieces', Buffer.concat([frame(0x01, call('"')), ...Array.from({ length: 8 }, () => frame(0x00, 'x'.repeat(1024))), frame(0x80, '"}')])],
  ['the promise of 2^62 bytes', Buffer.concat([announced(2 ** 62), Buffer.from(call('1'))])],
];

async function start(engine: 'uws' | 'node'): Promise<{ readonly node: SocketNode; readonly gateway: TestGateway; readonly closed: () => number }> {
  const http = await ScriptNode.start(() => ({ result: '"http"' }));
  const node = await SocketNode.start();
  closers.push(http, node);
  node.onSaid = ({ socket, id, method }) => socket.send(`{"jsonrpc":"2.0","id":${id},"result":${method === 'eth_subscribe' ? '"0x1"' : '"0x7"'}}`);
  const gateway = await testGateway([{ name: 'a', httpUrl: http.httpUrl, wsUrl: node.url, options: { transport: 'ws' } }], {
    engine,
    server: { webSocket: { maxMessageBytes: MAX_BYTES } },
    chain: { chainId: 1, logs: { enabled: false } },
  });
  closers.push(gateway);
  return { node, gateway, closed: () => node.sockets.filter(({ readyState }) => readyState >= WebSocket.CLOSING).length };
}

/** Asks over a connection of its own until a node has answered. */
async function works(gateway: TestGateway): Promise<void> {
  const socket = new WebSocket(gateway.url.replace('http:', 'ws:'));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  await vi.waitFor(async () => {
    const answer = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
    socket.send(call('77'));
    expect(JSON.parse(await answer)).toEqual({ jsonrpc: '2.0', id: 77, result: '0x7' });
  }, { timeout: 10_000, interval: 10 });
  socket.terminate();
}

describe.each(ENGINES)('malformed frames of clients on %s', (engine) => {
  it('reach no node, whose connection stays as it is', { timeout: 60_000 }, async () => {
    const { node, gateway, closed } = await start(engine);
    await works(gateway);
    for (const [what, wrong] of FRAMES) {
      const calls = (): number => node.said.filter(({ method }) => method !== 'eth_subscribe').length;
      const before = calls();
      const { socket, over } = await openRaw(Number(new URL(gateway.url).port));
      socket.write(wrong);
      // what is taken for a message is answered with an error; the rest ends the connection
      socket.write(frame(0x88, Buffer.from([3, 232])));
      const told = (await over).filter((each) => !each.startsWith('close:'));
      expect([what, calls() - before]).toEqual([what, 0]);
      for (const each of told) expect([what, (JSON.parse(each.slice(2)) as { error: unknown }).error]).toEqual([what, expect.objectContaining({ code: expect.any(Number) as number })]);
      await works(gateway);
    }
    expect(closed()).toBe(0);
  });

  it('are refused without a mask, by the engine that looks', async () => {
    const { node, gateway, closed } = await start(engine);
    await works(gateway);
    const { socket, over } = await openRaw(Number(new URL(gateway.url).port));
    socket.write(frame(0x81, call('1'), false));
    socket.end();
    await over;
    await works(gateway);
    for (const { text } of node.said) expect(() => JSON.parse(text) as unknown).not.toThrow();
    expect(closed()).toBe(0);
  });
});
