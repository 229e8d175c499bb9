import { expect, test } from 'vitest';
import { cidrContains, parseCidr } from '../../../src/config/cidr.ts';

test.each([
  ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
  ['192.168.1.7', '192.168.1.7', '192.168.1.8'],
  ['0.0.0.0/0', '255.255.255.255', '::1'],
  ['10.1.2.3/24', '10.1.2.200', '10.1.3.0'],
  ['fd00::/8', 'fdff::1', 'fe00::1'],
  ['::1/128', '0:0:0:0:0:0:0:1', '::2'],
  ['2001:db8::/33', '2001:db8:7fff::1', '2001:db8:8000::1'],
  ['::/0', '::', '1.2.3.4'],
])('%s holds %s, not %s', (text, inside, outside) => {
  const range = parseCidr(text);
  if (range === null) throw new Error('not a range');
  expect(cidrContains(range, inside)).toBe(true);
  expect(cidrContains(range, outside)).toBe(false);
  expect(cidrContains(range, 'unknown')).toBe(false);
});

test.each([
  '',
  '10.0.0/8',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '010.0.0.0/8',
  '256.0.0.0/8',
  '::1::/64',
  '1:2:3:4:5:6:7/64',
  '12345::/16',
  '::/129',
  '1:2:3:4:5:6:7:8::/64',
  '10.0.0.0/8/8',
])('%j is no range', (text) => expect(parseCidr(text)).toBeNull());
