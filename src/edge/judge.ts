import type { FaultKind } from '../base/fault.ts';
import type { HeadScan } from './head.ts';
import { MAX_HEADER_LINES } from './limits.ts';

/** Why a request is refused: a row of the error table and the place. */
export interface Refusal {
  readonly kind: FaultKind;
  readonly detail: string;
}

/** The limits a head is judged by. */
export interface JudgeRules {
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
  readonly refuseChunked: boolean;
}

const refusal = (kind: FaultKind, detail = ''): Refusal => ({ kind, detail });

// Built once: a refusal costs no allocation.
const NO = {
  lines: refusal('headerTooLarge', `more than ${MAX_HEADER_LINES} lines`),
  size: refusal('headerTooLarge'),
  noHost: refusal('badFraming', 'no Host'),
  twoHosts: refusal('badFraming', 'more than one Host'),
  host: refusal('badFraming', 'Host'),
  path: refusal('badFraming', 'request target'),
  twoLengths: refusal('badFraming', 'more than one Content-Length'),
  length: refusal('badFraming', 'Content-Length is no number'),
  both: refusal('badFraming', 'Content-Length with Transfer-Encoding'),
  encoding: refusal('badFraming', 'Transfer-Encoding other than chunked'),
  method: refusal('httpMethod'),
  tooLarge: refusal('bodyTooLarge'),
  chunked: refusal('chunkedRefused'),
  noLength: refusal('chunkedRefused', 'a POST needs a body'),
  expect: refusal('expectation'),
  origins: refusal('badFraming', 'more than one Origin'),
  contentType: refusal('mediaType', 'Content-Type'),
  contentEncoding: refusal('mediaType', 'Content-Encoding'),
} as const satisfies Record<string, Refusal>;

// RFC 3986 section 3.2.2 and 3.2.3: reg-name, IPv4 or bracketed address, and a port.
const HOST = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/;
// RFC 9112 section 3.2.1: origin form; printable ASCII without `#`.
const PATH = /^\/[!-"$-~]*$/;
const QUERY = /^[!-"$-~]*$/;
const JSON_TYPE = /^application\/(?:json|json-rpc|jsonrequest|[a-z0-9.+_-]+\+json)[\t ]*(?:;|$)/i;

/**
 * Judges a request by its request line and header alone, before any work, alike on every engine.
 * Stricter than RFC 9112 where leniency lets two parsers disagree: doubled lengths are refused even when equal.
 * @returns why it is refused, or null; after any refusal the connection is closed.
 */
export function judge(head: HeadScan, rules: JudgeRules): Refusal | null {
  return judgeShape(head, rules) ?? judgeMeaning(head, rules);
}

/** What every request must keep to, whatever it asks for. */
export function judgeShape(head: HeadScan, rules: Pick<JudgeRules, 'maxHeaderBytes'>): Refusal | null {
  if (head.lines > MAX_HEADER_LINES) return NO.lines;
  if (head.sizeBytes + head.path.length + head.query.length > rules.maxHeaderBytes) return NO.size;
  return judgeFraming(head) ?? judgeTarget(head);
}

function judgeFraming(head: HeadScan): Refusal | null {
  if (head.transferEncodings > 0) {
    if (head.contentLengths > 0) return NO.both;
    if (head.transferEncodings > 1 || head.transferEncoding.toLowerCase() !== 'chunked') return NO.encoding;
  }
  if (head.contentLengths > 1) return NO.twoLengths;
  if (head.contentLengths === 1 && !isLength(head.contentLength)) return NO.length;
  return null;
}

/** 1 to 15 digits. */
function isLength(value: string): boolean {
  if (value.length === 0 || value.length > 15) return false;
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c < 0x30 || c > 0x39) return false;
  }
  return true;
}

function judgeTarget(head: HeadScan): Refusal | null {
  if (head.hosts === 0) return NO.noHost;
  if (head.hosts > 1) return NO.twoHosts;
  if (head.host !== head.soundHost) {
    if (!HOST.test(head.host)) return NO.host;
    head.soundHost = head.host;
  }
  if (head.path !== '/' && !PATH.test(head.path)) return NO.path;
  if (head.query !== '' && !QUERY.test(head.query)) return NO.path;
  return null;
}

function judgeMeaning(head: HeadScan, rules: JudgeRules): Refusal | null {
  if (head.method !== 'POST' && head.method !== 'OPTIONS') return NO.method;
  if (head.origins > 1) return NO.origins;
  if (head.expects > 0 && (head.expects > 1 || head.expect.toLowerCase() !== '100-continue')) return NO.expect;
  if (head.chunked && rules.refuseChunked) return NO.chunked;
  if (head.contentLengths > 0 && head.announcedBytes > rules.maxBodyBytes) return NO.tooLarge;
  if (head.method === 'OPTIONS') return null;
  // A length hidden from one parser would leave the body to run as the next request.
  if (!head.chunked && head.contentLengths === 0) return NO.noLength;
  if (head.contentTypes > 1 || (head.contentTypes === 1 && !isJsonType(head.contentType))) return NO.contentType;
  if (head.contentEncodings > 1 || !isKnownEncoding(head.contentEncoding)) return NO.contentEncoding;
  return null;
}

function isJsonType(value: string): boolean {
  return value === 'application/json' || JSON_TYPE.test(value);
}

function isKnownEncoding(value: string): boolean {
  if (value === '') return true;
  const name = value.toLowerCase();
  return name === 'gzip' || name === 'x-gzip' || name === 'identity';
}
