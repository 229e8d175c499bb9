import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { listen } from '../../src/edge/listen.ts';
import type { EdgeServer } from '../../src/edge/port.ts';
import { OPTIONS, Recorder } from '../help/edge.ts';
import { post, RawClient } from '../help/raw.ts';

const library = vi.hoisted(() => ({ broken: false }));
vi.mock('../../src/edge/uwsLoad.ts', async (original) => {
  const real = await original<typeof import('../../src/edge/uwsLoad.ts')>();
  return {
    loadUws: () => {
      if (library.broken) throw new Error("first line\n\nError: /lib/libc.so.6: version `GLIBC_2.38' not found");
      return real.loadUws();
    },
  };
});

describe('where the native library cannot load', () => {
  let server: EdgeServer | null = null;
  const logged: string[] = [];
  const log = { info: (fields: object, text: string) => logged.push(`${text} ${JSON.stringify(fields)}`), error: () => {} };
  beforeAll(() => {
    library.broken = true;
  });
  afterEach(() => server?.drain(0));

  it('engine auto serves with node and says why in one line', async () => {
    server = await listen({ ...OPTIONS, engine: 'auto' }, new Recorder(), log);
    expect(server.engine).toBe('node');
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain("GLIBC_2.38' not found");
    const client = await RawClient.open(server.port);
    client.write(post('hi'));
    expect((await client.response())?.status).toBe(200);
  });

  it('engine uws is an error that says what to do', async () => {
    await expect(listen({ ...OPTIONS, engine: 'uws' }, new Recorder(), log)).rejects.toThrow(
      /server\.engine is uws, but .*GLIBC_2\.38.*use engine: auto or node/,
    );
  });
});
