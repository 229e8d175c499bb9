import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../../src/upstream/target.ts';

const SECRET = 'k3y-of-mine';

function message(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
}

describe('parseTarget', () => {
  it('splits origin from path and query', () => {
    const target = parseTarget('https://node.example:8443/v3/abc?x=1#frag', {});
    expect(target.origin).toBe('https://node.example:8443');
    expect(target.path).toBe('/v3/abc?x=1');
  });

  it('lets a configured authorization replace the credentials of the URL', () => {
    const { headers } = parseTarget('http://a:b@h/', { Authorization: 'Bearer t' });
    expect(headers[headers.indexOf('authorization') + 1]).toBe('Bearer t');
    expect(headers.filter((name) => name === 'authorization')).toHaveLength(1);
  });

  it('takes credentials that are no valid percent-encoding as they are', () => {
    const { headers } = parseTarget('http://a%zz:b@h/', {});
    expect(headers[headers.indexOf('authorization') + 1]).toBe(`Basic ${Buffer.from('a%zz:b').toString('base64')}`);
  });

  it.each([
    ['no URL', `nonsense ${SECRET}`, {}, 'not a URL'],
    ['another scheme', `ws://h/${SECRET}`, {}, 'http or https'],
    ['a framing header', `http://h/${SECRET}`, { 'Transfer-Encoding': SECRET }, 'transfer-encoding cannot be set'],
    ['a bad header name', `http://h/${SECRET}`, { [`x ${SECRET}`]: 'v' }, 'a name has characters'],
    ['a bad header value', `http://h/${SECRET}`, { 'x-key': `${SECRET}\r\nx: y` }, 'the value of x-key'],
  ])('refuses %s by name, without the secret', (_what, url, headers: Record<string, string>, want) => {
    const text = message(() => parseTarget(url, headers));
    expect(text).toContain(want);
    expect(text).not.toContain(SECRET);
  });
});
