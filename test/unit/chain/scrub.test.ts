import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scrubData, scrubMessage } from '../../../src/chain/errors/scrub.ts';

const KEY = '9aa3d95b3bc440fa88ea12eaa4456161';
const HASH = `0x${'ab12'.repeat(16)}`;

describe('scrubMessage', () => {
  it.each([
    [`Post "https://mainnet.infura.io/v3/${KEY}": EOF`, 'Post "<url>": EOF'],
    [`dial wss://user:pass@node.example.com:8546/ws?key=${KEY} failed`, 'dial <url> failed'],
    [`eth-mainnet.g.alchemy.com/v2/${KEY} said no`, '<host> said no'],
    ['dial tcp: lookup geth-0.geth.svc.cluster.local on 10.0.0.2:53: no such host', 'dial tcp: lookup <host> on <host>: no such host'],
    ['connect ECONNREFUSED 127.0.0.1:8545', 'connect ECONNREFUSED <host>'],
    ['connect ECONNREFUSED [::1]:8545', 'connect ECONNREFUSED <host>'],
    ['connect to localhost:8545 failed', 'connect to <host> failed'],
    [`project ${KEY} has no credits`, 'project <redacted> has no credits'],
    ['invalid token: abc12345', 'invalid token: <redacted>'],
    ['api key=k3y-4-me is inactive', 'api key=<redacted> is inactive'],
  ])('%s', (text, expected) => {
    expect(scrubMessage(text)).toBe(expected);
  });

  it.each([
    'header not found',
    'execution aborted (timeout = 5s)',
    `missing trie node ${HASH.slice(2, 20)} (path ) state ${HASH} is not available`,
    `block ${HASH} not found`,
    'the method eth_getTransactionByBlockNumberAndIndex does not exist/is not available',
    'invalid hex in storage key 0xabc12345',
    'query returned more than 10000 results. Try with this block range [0x1840b3a, 0x1840b49].',
    'tx fee (1.20 ether) exceeds the configured cap (1.00 ether)',
    `insufficient funds: address 0x${'Cd'.repeat(20)} have 0 want 1000000000000000000`,
    '',
  ])('leaves %s', (text) => {
    expect(scrubMessage(text)).toBe(text);
  });

  it('cuts a long text without leaving half a secret', () => {
    const text = scrubMessage(`${'a '.repeat(506)}${KEY}${KEY}`);
    expect(text.length).toBeLessThanOrEqual(1025);
    expect(text).not.toContain(KEY.slice(0, 8));
  });

  it('never lets a URL or a key through, whatever is around it', () => {
    const around = fc.string({ unit: fc.constantFrom('a', 'Z', ' ', '"', '(', ':', ',', '\n', '=', '1'), maxLength: 30 });
    fc.assert(fc.property(around, around, (before, after) => {
      const text = scrubMessage(`${before} https://rpc.example.org/v2/${KEY} ${after} ${KEY}`);
      expect(text).not.toContain('example');
      expect(text).not.toContain(KEY);
    }));
  });
});

describe('scrubData', () => {
  it.each([
    null, '"0x08c379a0"', `"0x${'ab'.repeat(40_000)}"`, '{"a": [1, 1.50, 12345678901234567890, null, true]}', `{"${HASH}":{"return":"0x${'00'.repeat(900)}"}}`, '"insufficient funds"', '7',
  ])('leaves %.60s', (raw) => {
    expect(scrubData(raw)).toBe(raw);
  });

  it.each([
    [`{"url":"https:\\/\\/u:p@rpc.example.org\\/v2\\/${KEY}?key=1","n":[1,"connect to 10.0.0.2:53"]}`, '{"url":"<url>","n":[1,"connect to <host>"]}'],
    [`"${KEY}"`, '"<redacted>"'],
    [`{"https://rpc.example.org/${KEY}":1}`, '{"<url>":1}'],
    [`"${'a '.repeat(10_000)}"`, null],
    [`${'['.repeat(30)}"https://a.example/x"${']'.repeat(30)}`, null],
  ])('scrubs %.60s', (raw, expected) => {
    expect(scrubData(raw)).toBe(expected);
  });
});
