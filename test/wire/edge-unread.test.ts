import { afterEach, describe, expect, it } from 'vitest';
import { ENGINES, startEdge } from '../help/edge.ts';
import type { TestEdge } from '../help/edge.ts';
import { post, RawClient } from '../help/raw.ts';

// What nginx sends unless it is told otherwise.
const OLD = 'POST / HTTP/1.0\r\nHost: edge\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi';

describe.each(ENGINES)('clients that cannot be served, engine %s', (engine) => {
  let edge: TestEdge;
  afterEach(() => edge.server.drain(0));

  const send = async (bytes: string): Promise<void> => {
    const client = await RawClient.open(edge.server.port);
    client.write(bytes);
    await client.response();
    client.leave();
    await expect.poll(() => edge.server.connections()).toBe(0);
  };

  it('tells once of a proxy that speaks HTTP/1.0, and what to set', async () => {
    edge = await startEdge(engine);
    for (let i = 0; i < 10; i++) await send(OLD);
    expect(edge.logged).toEqual([expect.stringContaining('behind nginx set proxy_http_version 1.1')]);
    await send(post('hi'));
    expect(edge.handler.bodies).toEqual(['hi']);
  });

  it('tells nothing of clients that are served, or only connect now and then', async () => {
    edge = await startEdge(engine);
    for (let i = 0; i < 5; i++) {
      for (const bytes of [post('hi'), '', '', '']) {
        const client = await RawClient.open(edge.server.port);
        client.write(bytes);
        if (bytes !== '') await client.response();
        client.leave();
        await expect.poll(() => edge.server.connections()).toBe(0);
      }
    }
    expect(edge.logged).toEqual([]);
  });
});
