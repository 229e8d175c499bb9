import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventStream } from '../../src/controller/eventStream.ts';

/** Stands before an admin port and meddles with its event stream: every event is lost, or told twice. */
export async function eventProxy(adminUrl: string, mode: 'lost' | 'twice'): Promise<{ readonly url: string; readonly seen: () => number; close(): void }> {
  let events = 0;
  const server = createServer((asked, answer) => {
    const onward = request(new URL(asked.url ?? '/', adminUrl), { method: asked.method, headers: { ...asked.headers, connection: 'close' }, agent: false }, (told) => {
      answer.writeHead(told.statusCode ?? 502, told.headers);
      if (asked.url?.startsWith('/api/v1/events') !== true) return void told.pipe(answer);
      answer.flushHeaders();
      const stream = new EventStream();
      told.setEncoding('utf8');
      told.on('data', (text: string) => {
        for (const { id, kind, data } of stream.push(text)) {
          events++;
          if (mode === 'twice') answer.write(`id: ${id}\nevent: ${kind}\ndata: ${data}\n\n`.repeat(2));
        }
      });
      told.on('close', () => answer.destroy());
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen: () => events, close };
}
