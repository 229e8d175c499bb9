// Calls at a fixed rate over HTTP, in a process of its own: node openDriver.mjs OPTIONS_AS_JSON
// { port, request, due, connections, rate, seconds, timeoutMs, seed }: as openDriver.c, where there is no C compiler
// Each call's time counts from when it was due to be sent, also while all connections are busy: a server that stands still is
// seen by every call that it holds up (the correction for coordinated omission). A line on the input begins a new phase.
import { connect } from 'node:net';

const set = JSON.parse(process.argv[2]);
const request = Buffer.from(set.request);
const due = Buffer.from(set.due);
const HEAD_END = Buffer.from('\r\n\r\n');
const SLEEP_MS = 0.03;
const KEPT_FAULTS = 5;

const newPhase = () => ({ times: [], late: [], failed: 0 });
const phases = [newPhase()];
const faults = [];
const idle = [];
const waiting = [];
let underWay = 0;

const sinceUs = (dueMs) => Math.max(1, Math.round((performance.now() - dueMs) * 1000));

/** A call: when it was due, and the phase it belongs to. */
const fail = (call, why) => {
  underWay--;
  call.phase.failed++;
  if (faults.length < KEPT_FAULTS) faults.push(why);
};

const settle = (call, answer) => {
  if (answer.status !== 200 || !answer.body.equals(due)) return fail(call, `status ${answer.status}: ${answer.body.toString('latin1', 0, 200)}`);
  underWay--;
  call.phase.times.push(sinceUs(call.dueMs));
};

const unchunk = (bytes, from) => {
  const parts = [];
  for (let at = from; ; ) {
    const eol = bytes.indexOf('\r\n', at);
    if (eol < 0) return null;
    const size = Number.parseInt(bytes.latin1Slice(at, eol), 16);
    if (bytes.length < eol + 2 + size + 2) return null;
    if (size === 0) return { body: Buffer.concat(parts), end: eol + 4 };
    parts.push(bytes.subarray(eol + 2, eol + 2 + size));
    at = eol + 2 + size + 2;
  }
};

/** The answer at the head of the bytes, or null when it is not whole. */
const parse = (bytes) => {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return null;
  const head = bytes.latin1Slice(0, headEnd).toLowerCase();
  const status = Number(head.slice(9, 12));
  const length = /\r\ncontent-length: *(\d+)/.exec(head);
  const from = headEnd + 4;
  const isLast = head.includes('\r\nconnection: close');
  if (length !== null) {
    const end = from + Number(length[1]);
    return bytes.length < end ? null : { status, isLast, body: bytes.subarray(from, end) };
  }
  const chunked = unchunk(bytes, from);
  return chunked === null ? null : { status, isLast, body: chunked.body };
};

const send = (line, call) => {
  line.call = call;
  line.socket.write(request);
};

const free = (line) => {
  const call = waiting.shift();
  if (call === undefined) idle.push(line);
  else send(line, call);
};

const open = () => {
  const line = { socket: connect({ port: set.port, host: '127.0.0.1', noDelay: true }), call: null, bytes: null, isOpen: false };
  line.socket.on('connect', () => {
    line.isOpen = true;
    free(line);
  });
  line.socket.on('data', (data) => {
    line.bytes = line.bytes === null ? data : Buffer.concat([line.bytes, data]);
    const answer = parse(line.bytes);
    if (answer === null) return;
    const { call } = line;
    line.bytes = null;
    line.call = null;
    if (call !== null) settle(call, answer);
    if (answer.isLast) line.socket.destroy();
    else free(line);
  });
  line.socket.on('error', () => undefined);
  line.socket.on('close', () => {
    if (line.call !== null) fail(line.call, 'connection closed before the answer');
    const at = idle.indexOf(line);
    if (at >= 0) idle.splice(at, 1);
    if (!isOver) setTimeout(open, line.isOpen ? 0 : 50);
  });
};

let isOver = false;
for (let i = 0; i < set.connections; i++) open();
process.stdin.on('data', (text) => {
  for (const _ of text.toString().trim().split('\n')) phases.push(newPhase());
});

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1] ?? 0;
const told = () => [...phases.map(({ failed, late, times }) => [failed, median(late), ...times].join(' ')), ...faults.map((text) => `fault ${text.replaceAll(/\s/g, ' ')}`)].join('\n');

const finish = () => {
  isOver = true;
  process.stdout.write(`${told()}\n`, () => process.exit(0));
};

const nap = new Int32Array(new SharedArrayBuffer(4));
const startMs = performance.now() + 100;
const endMs = startMs + set.seconds * 1000;
// xorshift32: the gaps between calls are those of chance, exponential
let word = Math.imul(set.seed * 2 + 1, 0x9e3779b1);
const gapMs = () => {
  word ^= word << 13;
  word ^= word >>> 17;
  word ^= word << 5;
  return (-Math.log(((word >>> 0) + 1) / 4294967297) * 1000) / set.rate;
};
let nextDueMs = startMs;
const tick = () => {
  const now = performance.now();
  for (; nextDueMs <= now && nextDueMs < endMs; nextDueMs += gapMs()) {
    const call = { dueMs: nextDueMs, phase: phases.at(-1) };
    underWay++;
    const line = idle.pop();
    if (line === undefined) {
      waiting.push(call);
      continue;
    }
    call.phase.late.push(sinceUs(call.dueMs));
    send(line, call);
  }
  const isSending = nextDueMs < endMs;
  if (!isSending && underWay === 0) return finish();
  if (!isSending && now > endMs + set.timeoutMs) {
    for (const call of waiting) fail(call, 'never sent');
    for (; underWay > 0; underWay--) phases.at(-1).failed++;
    faults.push(`no answer within ${set.timeoutMs} ms`);
    return finish();
  }
  // a short sleep instead of spinning leaves the processor to what is measured
  Atomics.wait(nap, 0, 0, SLEEP_MS);
  setImmediate(tick);
};
setImmediate(tick);
