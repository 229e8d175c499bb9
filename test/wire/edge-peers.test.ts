import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CORPUS } from '../help/edgeCorpus.ts';
import { startProxy } from '../help/proxies.ts';
import type { FrontProxy } from '../help/proxies.ts';
import { needs } from '../help/require.ts';

/** The node engine's own verdicts are what `edge-corpus.test.ts` proves; here they are compared with those of the proxies. */
describe.each(['nginx', 'haproxy'] as const)('%s', (name) => {
  describe.skipIf(!needs(name))(`is not stricter than the node engine (needs ${name})`, () => {
    let proxy: FrontProxy;
    beforeAll(async () => {
      proxy = await startProxy(name);
    });
    afterAll(() => proxy.stop());

    it('lets a plain request through', async () => {
      expect(await proxy.lets('POST / HTTP/1.1\r\nHost: edge\r\nContent-Length: 2\r\n\r\nhi')).toBe(true);
    });

    it.each(CORPUS.filter(({ expected }) => expected.statuses[0] === 200))('serves what we serve: $name', async ({ bytes }) => {
      expect(await proxy.lets(bytes)).toBe(true);
    });
  });
});
