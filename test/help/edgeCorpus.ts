import type { EngineName } from './edge.ts';
import { post } from './raw.ts';

/** What one raw exchange comes to. */
export interface Outcome {
  /** Status of each response in order, without 100. */
  readonly statuses: readonly number[];
  /** Bodies that reached the handler. */
  readonly bodies: readonly string[];
  /** The edge ends the connection; else it must still serve a well-formed request. */
  readonly closes: boolean;
}

export interface RawCase {
  readonly name: string;
  /** Latin1. */
  readonly bytes: string;
  readonly expected: Outcome;
}

/** A case in which an engine's framing differs, with the reason that `docs/http-strictness.md` gives. */
export interface KnownDifference {
  readonly engine: EngineName;
  /** A line of the document's table. */
  readonly reason: string;
  readonly expected: Outcome;
}

const refused = (status: number): Outcome => ({ statuses: [status], bodies: [], closes: true });
const served = (...bodies: string[]): Outcome => ({ statuses: bodies.map(() => 200), bodies, closes: false });
const silent: Outcome = { statuses: [], bodies: [], closes: true };

const H = 'POST / HTTP/1.1\r\nHost: edge\r\n';
const CHUNKED = `${H}Transfer-Encoding: chunked\r\n\r\n`;
const SMUGGLED = 'POST /smuggled HTTP/1.1\r\nHost: edge\r\nContent-Length: 1\r\n\r\nX';
const withLine = (line: string): string => `${H}${line}\r\nContent-Length: 2\r\n\r\nhi`;
const line = (first: string): string => `${first}\r\nHost: edge\r\nContent-Length: 2\r\n\r\nhi`;
const group = (expected: Outcome, cases: Readonly<Record<string, string>>): RawCase[] =>
  Object.entries(cases).map(([name, bytes]) => ({ name, bytes, expected }));

const FRAMING = group(refused(400), {
  'two different Content-Lengths': `${H}Content-Length: 2\r\nContent-Length: ${2 + SMUGGLED.length}\r\n\r\nhi${SMUGGLED}`,
  'two equal Content-Lengths': `${H}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`,
  'Content-Length in two cases': `${H}Content-Length: 2\r\ncontent-length: 0\r\n\r\nhi`,
  'a list of Content-Lengths': `${H}Content-Length: 2, 2\r\n\r\nhi`,
  'a negative Content-Length': `${H}Content-Length: -2\r\n\r\nhi`,
  'a signed Content-Length': `${H}Content-Length: +2\r\n\r\nhi`,
  'a hexadecimal Content-Length': `${H}Content-Length: 0x2\r\n\r\nhi`,
  'a fractional Content-Length': `${H}Content-Length: 2.0\r\n\r\nhi`,
  'an exponent in Content-Length': `${H}Content-Length: 1e1\r\n\r\nhi`,
  'an empty Content-Length': `${H}Content-Length:\r\n\r\nhi`,
  'spaces inside Content-Length': `${H}Content-Length: 2 2\r\n\r\nhi`,
  'letters after Content-Length': `${H}Content-Length: 2a\r\n\r\nhi`,
  'a Content-Length over 64 bits': `${H}Content-Length: 99999999999999999999\r\n\r\nhi`,
  'a quoted Content-Length': `${H}Content-Length: "2"\r\n\r\nhi`,
  'Content-Length before Transfer-Encoding': `${H}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX`,
  'Transfer-Encoding before Content-Length': `${H}Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nX`,
  'Transfer-Encoding identity with Content-Length': `${H}Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi`,
  'an empty Transfer-Encoding with Content-Length': `${H}Transfer-Encoding:\r\nContent-Length: 2\r\n\r\nhi`,
  'Transfer-Encoding identity': `${H}Transfer-Encoding: identity\r\n\r\n`,
  'Transfer-Encoding gzip': `${H}Transfer-Encoding: gzip\r\n\r\n`,
  'Transfer-Encoding gzip, chunked': `${H}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  'Transfer-Encoding chunked, chunked': `${H}Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  'Transfer-Encoding chunked, identity': `${H}Transfer-Encoding: chunked, identity\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  'Transfer-Encoding xchunked': `${H}Transfer-Encoding: xchunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  'Transfer-Encoding chunkedx': `${H}Transfer-Encoding: chunkedx\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  'Transfer-Encoding with a parameter': `${H}Transfer-Encoding: chunked;q=1\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  'a quoted Transfer-Encoding': `${H}Transfer-Encoding: "chunked"\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  'Transfer-Encoding with a leading comma': `${H}Transfer-Encoding: ,chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  'two Transfer-Encodings': `${H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  'Transfer-Encoding chunked, then identity': `${H}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  'an empty Transfer-Encoding': `${H}Transfer-Encoding:\r\n\r\n`,
});

const TARGET = group(refused(400), {
  'no Host': 'POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi',
  'two Hosts': withLine('Host: other'),
  'two equal Hosts': withLine('Host: edge'),
  'Host in two cases': withLine('hOsT: other'),
  'an empty Host': 'POST / HTTP/1.1\r\nHost:\r\nContent-Length: 2\r\n\r\nhi',
  'a Host with a slash': 'POST / HTTP/1.1\r\nHost: a/b\r\nContent-Length: 2\r\n\r\nhi',
  'a Host with a space': 'POST / HTTP/1.1\r\nHost: a b\r\nContent-Length: 2\r\n\r\nhi',
  'a Host with user info': 'POST / HTTP/1.1\r\nHost: u@a\r\nContent-Length: 2\r\n\r\nhi',
  'a Host with a port of letters': 'POST / HTTP/1.1\r\nHost: a:b\r\nContent-Length: 2\r\n\r\nhi',
  'a Host with an open bracket': 'POST / HTTP/1.1\r\nHost: [::1\r\nContent-Length: 2\r\n\r\nhi',
  'a Host list': 'POST / HTTP/1.1\r\nHost: a, b\r\nContent-Length: 2\r\n\r\nhi',
  'a target with a fragment': line('POST /#a HTTP/1.1'),
  'two Origins': withLine('Origin: http://a\r\nOrigin: http://b'),
});

const LINE_400 = group(refused(400), {
  'an absolute target': line('POST http://edge/ HTTP/1.1'),
  'the target *': line('OPTIONS * HTTP/1.1'),
  'a target without slash': line('POST edge HTTP/1.1'),
  'a target of raw bytes': line('POST /\xff\xfe HTTP/1.1'),
});

const METHODS = group(refused(405), {
  'GET': `GET / HTTP/1.1\r\nHost: edge\r\n\r\n`,
  'GET with a body': line('GET / HTTP/1.1'),
  'PUT': line('PUT / HTTP/1.1'),
  'PATCH': line('PATCH / HTTP/1.1'),
  'DELETE': line('DELETE / HTTP/1.1'),
  'TRACE': `TRACE / HTTP/1.1\r\nHost: edge\r\n\r\n`,
  'PROPFIND': line('PROPFIND / HTTP/1.1'),
  'an unknown method': line('FOO / HTTP/1.1'),
  'post in lower case': line('post / HTTP/1.1'),
  'Post in mixed case': line('Post / HTTP/1.1'),
});

const UPGRADES: RawCase[] = [
  ...group(refused(400), {
    'an upgrade without Connection': 'GET / HTTP/1.1\r\nHost: edge\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    'an upgrade whose Connection names something else': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: keep-alive\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    'an upgrade to another protocol with a WebSocket key': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: chat\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    'an upgrade to two protocols': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket, chat\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    'an upgrade with two Upgrade lines': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    'an upgrade without a key': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n',
    'an upgrade with two keys': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    'an upgrade with a short key': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n\r\n',
    'an upgrade with a key that is no base64': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n\r\n',
    'an upgrade with a key whose last digit has spare bits': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n\r\n',
    'an upgrade with a body': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 2\r\n\r\n',
  }),
  ...group(refused(426), {
    'an upgrade without a version': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    'an upgrade to version 8': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    'an upgrade to versions 13 and 8': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13, 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    'an upgrade with two versions': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  }),
  ...group(refused(405), {
    'a GET with a key alone': 'GET / HTTP/1.1\r\nHost: edge\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    'a GET that offers HTTP 2': 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n',
  }),
  ...group(served('hi'), {
    'a POST that offers HTTP 2': `${H}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nContent-Length: 2\r\n\r\nhi`,
    'a POST that asks for a WebSocket': `${H}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi`,
  }),
];

const MEANING: RawCase[] = [
  ...group(refused(411), {
    'a POST without a length': `${H}\r\n`,
    'a POST without a length, then bytes': `${H}\r\n${SMUGGLED}`,
  }),
  ...group(refused(413), {
    'a Content-Length over the limit': `${H}Content-Length: 65537\r\n\r\nhi`,
    'a Content-Length far over the limit': `${H}Content-Length: 999999999999999\r\n\r\nhi`,
    'Expect with a Content-Length over the limit': `${H}Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n`,
    'OPTIONS with a Content-Length over the limit': `OPTIONS / HTTP/1.1\r\nHost: edge\r\nContent-Length: 65537\r\n\r\n`,
  }),
  ...group(refused(415), {
    'a form': withLine('Content-Type: application/x-www-form-urlencoded'),
    'plain text': withLine('Content-Type: text/plain'),
    'a multipart form': withLine('Content-Type: multipart/form-data; boundary=x'),
    'an empty Content-Type': withLine('Content-Type:'),
    'a Content-Type that only begins like JSON': withLine('Content-Type: application/jsonx'),
    'two Content-Types': withLine('Content-Type: application/json\r\nContent-Type: text/plain'),
    'Content-Encoding br': withLine('Content-Encoding: br'),
    'Content-Encoding deflate': withLine('Content-Encoding: deflate'),
    'Content-Encoding gzip, gzip': withLine('Content-Encoding: gzip, gzip'),
    'two Content-Encodings': withLine('Content-Encoding: gzip\r\nContent-Encoding: gzip'),
  }),
  ...group(refused(417), {
    'an unknown Expect': withLine('Expect: 200-ok'),
    'two Expects': withLine('Expect: 100-continue\r\nExpect: 100-continue'),
  }),
  ...group(refused(431), {
    'a header line over the limit': withLine(`X-Long: ${'a'.repeat(16 * 1024)}`),
    'many lines over the limit': withLine(Array.from({ length: 60 }, (_, i) => `X-${i}: ${'a'.repeat(300)}`).join('\r\n')),
    'a target over the limit': line(`POST /${'a'.repeat(16 * 1024)} HTTP/1.1`),
  }),
];

const VERSIONS = group(refused(505), {
  'HTTP/1.0': line('POST / HTTP/1.0'),
  'HTTP/2.0': line('POST / HTTP/2.0'),
  'HTTP/1.2': line('POST / HTTP/1.2'),
  'HTTP/0.9': line('POST / HTTP/0.9'),
  'HTTP/11': line('POST / HTTP/11'),
  'no version': line('POST /'),
  'a bare LF between lines': 'POST / HTTP/1.1\nHost: edge\nContent-Length: 2\n\nhi',
});

const MALFORMED = group(refused(400), {
  'a space before the colon': withLine('X : a'),
  'a space before the colon of Content-Length': `${H}Content-Length : 2\r\n\r\nhi`,
  'a folded line': withLine('X: a\r\n b'),
  'a folded line first': 'POST / HTTP/1.1\r\n Host: edge\r\nContent-Length: 2\r\n\r\nhi',
  'a line without colon': withLine('nocolon'),
  'an empty name': `${H}: x\r\nContent-Length: 2\r\n\r\nhi`,
  'a NUL in a value': withLine('X: a\0b'),
  'a bare CR in a value': withLine('X: a\rb'),
  'a bare LF in one header line': `${H}X: a\nContent-Length: 2\r\n\r\nhi`,
  'a NUL in a name': withLine('X\0: a'),
  'a space in a name': withLine('X Y: a'),
  'a bracket in a name': withLine('X(Y: a'),
  'bytes over 127 in a name': withLine('X\xe4: a'),
  'a tab before the target': line('POST\t/ HTTP/1.1'),
  'a control character in the target': line('POST /\x01 HTTP/1.1'),
  'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n',
  'Transfer-Encoding with a trailing high byte': `${H}Transfer-Encoding: chunked\xa0\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  'Transfer-Encoding with a vertical tab': `${H}Transfer-Encoding: \x0bchunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
  'a chunk size of letters': `${CHUNKED}zz\r\nhi\r\n0\r\n\r\n`,
  'a chunk size with 0x': `${CHUNKED}0x2\r\nhi\r\n0\r\n\r\n`,
  'a negative chunk size': `${CHUNKED}-2\r\nhi\r\n0\r\n\r\n`,
  'a chunk size over 64 bits': `${CHUNKED}fffffffffffffffff\r\nhi\r\n0\r\n\r\n`,
  'a chunk longer than its size': `${CHUNKED}2\r\nhiX\r\n0\r\n\r\n`,
  'a chunk without its CRLF': `${CHUNKED}2\r\nhi0\r\n\r\n`,
  'chunks ended by bare LF': `${CHUNKED}2\nhi\n0\n\n`,
});

const SERVED: RawCase[] = [
  ...group(served('hi'), {
    'a plain POST': post('hi'),
    'a query': post('hi', [], '/a?b=c'),
    'application/json': post('hi', ['Content-Type: application/json']),
    'application/json with charset': post('hi', ['Content-Type: application/json; charset=utf-8']),
    'APPLICATION/JSON': post('hi', ['Content-Type: APPLICATION/JSON']),
    'application/json-rpc': post('hi', ['Content-Type: application/json-rpc']),
    'application/vnd.api+json': post('hi', ['Content-Type: application/vnd.api+json']),
    'Content-Encoding identity': post('hi', ['Content-Encoding: identity']),
    'header names in any case': 'POST / HTTP/1.1\r\nhOST: edge\r\ncONTENT-lENGTH: 2\r\n\r\nhi',
    'no space after the colon': 'POST / HTTP/1.1\r\nHost:edge\r\nContent-Length:2\r\n\r\nhi',
    'spaces around a value': 'POST / HTTP/1.1\r\nHost:   edge  \r\nContent-Length:  2 \r\n\r\nhi',
    'a Content-Length with leading zeros': `${H}Content-Length: 0002\r\n\r\nhi`,
    'a Host with a port': 'POST / HTTP/1.1\r\nHost: edge:8545\r\nContent-Length: 2\r\n\r\nhi',
    'a Host of IPv6': 'POST / HTTP/1.1\r\nHost: [::1]:8545\r\nContent-Length: 2\r\n\r\nhi',
    'an offer of h2c': post('hi', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk']),
    'an empty header value': post('hi', ['X-Empty:']),
    '90 header lines': post('hi', Array.from({ length: 90 }, (_, i) => `X-${i}: a`)),
    'a header just below the limit': post('hi', [`X-Long: ${'a'.repeat(15 * 1024)}`]),
    'chunked': `${CHUNKED}2\r\nhi\r\n0\r\n\r\n`,
    'Chunked': `${H}Transfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    'two chunks': `${CHUNKED}1\r\nh\r\n1\r\ni\r\n0\r\n\r\n`,
    'a chunk size with leading zeros': `${CHUNKED}002\r\nhi\r\n0\r\n\r\n`,
    'a chunk extension': `${CHUNKED}2;a=b\r\nhi\r\n0\r\n\r\n`,
    'a trailer': `${CHUNKED}2\r\nhi\r\n0\r\nX-Trailer: a\r\n\r\n`,
    'an empty line first': `\r\n${post('hi')}`,
  }),
  { name: 'an empty body', bytes: post(''), expected: served('') },
  { name: 'an empty chunked body', bytes: `${CHUNKED}0\r\n\r\n`, expected: served('') },
  { name: 'a body that looks like a request', bytes: post(SMUGGLED), expected: served(SMUGGLED) },
  { name: 'two requests at once', bytes: post('one') + post('two'), expected: served('one', 'two') },
  { name: 'a chunked request, then a plain one', bytes: `${CHUNKED}2\r\nhi\r\n0\r\n\r\n${post('two')}`, expected: served('hi', 'two') },
  { name: 'a good request, then a bad one', bytes: post('one') + withLine('Host: b'), expected: { statuses: [200, 400], bodies: ['one'], closes: true } },
  { name: 'a good request, then a malformed one', bytes: post('one') + withLine('X : b'), expected: { statuses: [200], bodies: ['one'], closes: true } },
  { name: 'Connection: close', bytes: post('hi', ['Connection: close']), expected: { statuses: [200], bodies: ['hi'], closes: true } },
  { name: 'OPTIONS', bytes: 'OPTIONS / HTTP/1.1\r\nHost: edge\r\n\r\n', expected: { statuses: [204], bodies: [], closes: false } },
  { name: 'HEAD', bytes: 'HEAD / HTTP/1.1\r\nHost: edge\r\n\r\n', expected: refused(405) },
  { name: 'CONNECT', bytes: 'CONNECT edge:80 HTTP/1.1\r\nHost: edge:80\r\n\r\n', expected: refused(405) },
  { name: '99 header lines', bytes: post('hi', Array.from({ length: 97 }, (_, i) => `X-${i}: a`)), expected: refused(431) },
];

export const CORPUS: readonly RawCase[] = [
  ...FRAMING, ...TARGET, ...LINE_400, ...METHODS, ...UPGRADES, ...MEANING, ...VERSIONS, ...MALFORMED, ...SERVED,
];

export { refused, served, silent };
