// Calls at a fixed rate over HTTP, in a process of its own: node openDriver.mjs OPTIONS_AS_JSON
// { port, path, body, due, connections, rate, seconds, timeoutMs }
// Each call's time counts from when it was due to be sent, also while all connections are busy: a server that stands still is
// seen by every call that it holds up (the correction for coordinated omission). A line on the input begins a new phase.
import { connect } from 'node:net';
import { build } from 'hdr-histogram-js';

const set = JSON.parse(process.argv[2]);
const request = Buffer.from(
  `POST ${set.path} HTTP/1.1\r\nhost: 127.0.0.1:${set.port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(set.body)}\r\n\r\n${set.body}`,
);
const due = Buffer.from(set.due);
const HEAD_END = Buffer.from('\r\n\r\n');
const MAX_US = 60e6;
const SLEEP_MS = 0.03;
const KEPT_FAULTS = 5;

const newPhase = () => ({ times: build({ lowestDiscernibleValue: 1, highestTrackableValue: MAX_US, numberOfSignificantValueDigits: 3 }), answered: 0, failed: 0 });
const phases = [newPhase()];
const faults = [];
const idle = [];
const waiting = [];
let underWay = 0;

/** A call: when it was due, and the phase it belongs to. */
const fail = (call, why) => {
  underWay--;
  call.phase.failed++;
  if (faults.length < KEPT_FAULTS) faults.push(why);
};

const settle = (call, answer) => {
  if (answer.status !== 200 || !answer.body.equals(due)) return fail(call, `status ${answer.status}: ${answer.body.toString('latin1', 0, 200)}`);
  underWay--;
  call.phase.answered++;
  call.phase.times.recordValue(Math.min(MAX_US, Math.max(1, Math.round((performance.now() - call.dueMs) * 1000))));
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

const told = () => ({
  phases: phases.map(({ times, answered, failed }) => ({
    answered, failed, p50Us: times.getValueAtPercentile(50), p90Us: times.getValueAtPercentile(90), p99Us: times.getValueAtPercentile(99), p999Us: times.getValueAtPercentile(99.9), maxUs: answered === 0 ? 0 : times.maxValue,
  })),
  faults,
});

const finish = () => {
  isOver = true;
  process.stdout.write(`${JSON.stringify(told())}\n`, () => process.exit(0));
};

const nap = new Int32Array(new SharedArrayBuffer(4));
const startMs = performance.now() + 100;
const endMs = startMs + set.seconds * 1000;
const stepMs = 1000 / set.rate;
let sent = 0;
const tick = () => {
  const now = performance.now();
  for (let dueMs = startMs + sent * stepMs; dueMs <= now && dueMs < endMs; dueMs = startMs + ++sent * stepMs) {
    const call = { dueMs, phase: phases.at(-1) };
    underWay++;
    const line = idle.pop();
    if (line === undefined) waiting.push(call);
    else send(line, call);
  }
  const isSending = startMs + sent * stepMs < endMs;
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
