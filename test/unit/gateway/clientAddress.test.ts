import { describe, expect, test } from 'vitest';
import type { RequestHead } from '../../../src/edge/port.ts';
import { ClientAddress } from '../../../src/gateway/clientAddress.ts';

const head = (peer: string, forwarded = ''): RequestHead => ({
  method: 'POST',
  path: '/',
  query: '', minBlock: '', cacheControl: '',
  header: (name) => (name === 'x-forwarded-for' ? forwarded : ''),
  remoteAddress: () => peer,
});

describe('ClientAddress', () => {
  const clients = new ClientAddress(['10.0.0.0/8', '::1/128']);
  test.each([
    ['a peer that is no proxy is the client, whatever it says', '192.0.2.7', '203.0.113.9', '192.0.2.7'],
    ['a proxy tells its client', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['what a client claims before its proxy is ignored', '10.0.0.1', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    ['a chain of proxies is followed to the first stranger', '10.0.0.1', '198.51.100.1, 203.0.113.9, 10.2.3.4', '203.0.113.9'],
    ['a proxy that says nothing is the client', '::1', '', '::1'],
    ['only proxies: the farthest', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ])('%s', (_name, peer, forwarded, expected) => {
    expect(clients.of(head(peer, forwarded))).toBe(expected);
  });

  test('without trusted proxies the header never counts', () => {
    expect(new ClientAddress([]).of(head('10.0.0.1', '203.0.113.9'))).toBe('10.0.0.1');
  });
});
