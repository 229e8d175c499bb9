import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/observe/log.ts';
import type { LogOptions, Logger } from '../../../src/observe/log.ts';
import { redactText, redactUrl } from '../../../src/observe/redact.ts';

function capture(level: LogOptions['level'] = 'info'): { log: Logger; lines: () => Record<string, unknown>[]; text: () => string } {
  let text = '';
  const log = createLogger({ level }, { write: (line: string) => { text += line; } });
  return { log, text: () => text, lines: () => text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const SECRET = 'k3y0fM1ne';

describe('createLogger', () => {
  it('writes one JSON line per event: level, time, facts, sentence', () => {
    const { log, lines } = capture();
    log.warn({ chain: 'main', lagBlocks: 7 }, 'ejected\nfor lag');
    expect(lines()).toEqual([{ level: 'warn', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), chain: 'main', lagBlocks: 7, msg: 'ejected\nfor lag' }]);
  });

  it('writes nothing below its level', () => {
    const { log, text } = capture('warn');
    log.debug({}, 'a');
    log.info({}, 'b');
    expect(text()).toBe('');
    const silent = capture('silent');
    silent.log.error({}, 'c');
    expect(silent.text()).toBe('');
  });

  it('gives a child its fields', () => {
    const { log, lines } = capture('debug');
    log.child({ chain: 'main' }).child({ upstream: 'a' }).debug({ n: 1 }, 'x');
    expect(lines()[0]).toMatchObject({ chain: 'main', upstream: 'a', n: 1, msg: 'x' });
  });

  it('lets no URL path, credential or header out, wherever it stands', () => {
    const { log, text, lines } = capture();
    const url = `https://user:${SECRET}@node.example/v3/${SECRET}?key=${SECRET}`;
    log.error(
      {
        http: url, headers: { 'x-api-key': SECRET }, adminToken: SECRET, target: new URL(url), list: [{ deep: `at ${url}` }],
        error: new Error(`connect ${url} failed`),
      },
      `cannot reach ${url}, sorry`,
    );
    expect(text()).not.toContain(SECRET);
    expect(lines()[0]).toMatchObject({ http: 'https://node.example/…', headers: '<redacted>', target: 'https://node.example/…' });
    expect(String(lines()[0]?.error)).toContain('connect https://node.example/… failed');
  });

  it('survives what JSON cannot hold', () => {
    const { log, lines } = capture();
    const loop: Record<string, unknown> = { n: 5n };
    loop.self = loop;
    log.info({ loop, missing: undefined, wide: Array.from({ length: 1000 }, (_, i) => i) }, 'odd');
    expect(lines()[0]).toMatchObject({ msg: 'odd', loop: { n: '5' } });
    expect(lines()[0]?.wide).toHaveLength(50);
  });
});

describe('redaction', () => {
  it.each([
    ['http://127.0.0.1:8545', 'http://127.0.0.1:8545'],
    ['http://127.0.0.1:8545/', 'http://127.0.0.1:8545'],
    ['wss://h:1/ws/KEY', 'wss://h:1/…'],
    ['https://a:b@h/?k=1', 'https://h/…'],
    ['https://h/#frag', 'https://h/…'],
    ['https://[::1]:9/', 'https://[::1]:9'],
    ['not a url', '<url>'],
    ['file:///etc/secret', 'file://…'],
  ])('of %s is %s', (url, want) => {
    expect(redactUrl(url)).toBe(want);
  });

  it('finds URLs in a text and leaves the rest', () => {
    expect(redactText('a ws://h/KEY b (http://u:p@x:1/) c "https://q/z" http://bad:port/KEY'))
      .toBe('a ws://h/… b (http://x:1) c "https://q/…" <url>');
    expect(redactText('nothing: here / there')).toBe('nothing: here / there');
  });
});
