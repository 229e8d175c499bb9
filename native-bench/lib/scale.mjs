// What a million calls a second, or a million subscribers, would take: worked out from the measured figures alone.
import { shown } from './svg.mjs';

const MILLION = 1e6;
/** Share of a core that is used when calls come as they like. */
const BUSY = 0.6;
const CORES = 16;
/** Request line and headers of a plain client beside the 230 bytes of a call. */
const REQUEST_BYTES = 230 + 110;
const BLOCK_S = 12;
/** A head as `newHeads` tells it. */
const NOTICE_BYTES = 1300;

/** Light calls that a node answers in a second: an assumption. */
const NODE_PER_S = 5000;
const CARD_GBIT = 10;
/** `server.maxConnections` */
const MAX_CONNECTIONS = 20_000;

/** Rows of a table, the least first. */
const ordered = (rows) => rows.sort(([a], [b]) => a - b).map(([n, ...cells]) => `| ${shown(n)} | ${cells.join(' | ')} |`).join('\n');

const of = (cases, name, title, row, key) => cases[name]?.tables.find((one) => one.title.startsWith(title))?.rows[row]?.figures[key]?.median;
const ratioOf = (cases, name, title, row, key) => cases[name]?.tables.find((one) => one.title.startsWith(title))?.rows[row]?.ratios[key]?.median;
const gbit = (bytesPerS) => (bytesPerS * 8) / 1e9;
const cores = (us, perS) => (us * perS) / MILLION;

/** The measured figures that everything follows from; null when one is missing. */
export function basis(cases) {
  const own = 'tidegate-uws';
  const found = {
    hitUs: of(cases, 'hit-small', '64', own, 'usPerCall'),
    passUs: of(cases, 'pass-small', '256 connections', own, 'usPerCall'),
    answerBytes: of(cases, 'hit-small', '64', own, 'answerBytes'),
    hitRatio: of(cases, 'mix', 'with', 'cached', 'hitRatio'),
    nodeCalls: of(cases, 'mix', 'with', 'cached', 'nodeCallsPerCall'),
    workersFactor: ratioOf(cases, 'workers', 'engine uws, from the cache', '2 workers', 'usPerCall'),
    firstUs: of(cases, 'workers', 'engine uws, 64', '2 workers', 'firstUs'),
    noticeUs: of(cases, 'fanout', '', own, 'usPerNotice'),
    subscriberKib: of(cases, 'fanout', '', own, 'subscribedKib'),
    idleKib: of(cases, 'idle', '10000 idle connections, http', own, 'kibEach'),
    churnUs: of(cases, 'churn', '64', own, 'usPerCall'),
  };
  return Object.values(found).every((n) => n > 0) ? found : null;
}

function calls(b) {
  const spread = Math.max(1, b.workersFactor);
  const mixedUs = b.hitRatio * b.hitUs + (1 - b.hitRatio) * b.passUs;
  const row = (what, us) => {
    const work = cores(us, MILLION);
    return `| ${what} | ${shown(us)} | ${shown(work)} | ${shown((work * spread) / BUSY)} | ${Math.ceil((work * spread) / BUSY / CORES)} |`;
  };
  return `## A million calls a second

| all calls | µs of processor time each | cores that work | cores to have: with workers, at ${BUSY * 100} % | machines of ${CORES} cores |
|---|---|---|---|---|
${row('from the cache', b.hitUs)}
${row(`the mix of \`npm run bench -- mix\` (${shown(b.hitRatio * 100)} % from the cache)`, mixedUs)}
${row('to the nodes', b.passUs)}
${row('a new connection for each, to the nodes', b.churnUs)}

"With workers" is the measured factor of two worker processes to one, ${shown(b.workersFactor)}; less than 1 counts as 1. More than two could not be measured on two cores.

On the wire to clients: ${shown(gbit(REQUEST_BYTES * MILLION))} Gbit/s in and ${shown(gbit(b.answerBytes * MILLION))} Gbit/s out (${REQUEST_BYTES} and ${shown(b.answerBytes)} bytes a call), TCP and IP headers aside.
A hundred thousand clients that are silent between calls hold ${shown((b.idleKib * 1e5) / 1024)} MiB.

What ends first as calls grow, for one machine of ${CORES} cores with a card of ${CARD_GBIT} Gbit/s, the mix above, and ten nodes that answer ${shown(NODE_PER_S)} light calls a second each
(an assumption, not measured here):

| calls a second | what ends | what then |
|---|---|---|
${ordered([
  [(10 * NODE_PER_S) / b.nodeCalls, `the nodes: ${shown(b.nodeCalls)} calls to them for each of a client`, `${Math.ceil((b.nodeCalls * MILLION) / NODE_PER_S)} nodes for a million`],
  [(CORES * BUSY * MILLION) / (mixedUs * spread), `the cores, at ${BUSY * 100} %`, 'more machines: they share nothing but the nodes'],
  [MILLION / (b.firstUs * b.nodeCalls), `the first process, ${shown(b.firstUs)} µs of each call to a node for what workers tell it`, 'a second gateway on the machine'],
  [(CARD_GBIT * 1e9) / 8 / Math.max(REQUEST_BYTES, b.answerBytes), 'the network card, with small answers', `another; answers of 100 kB fill it with ${shown((CARD_GBIT * 1e9) / 8 / 1e5)}`],
])}
`;
}

function subscribers(b) {
  const work = (b.noticeUs * MILLION) / MILLION;
  const within = (s) => Math.ceil(work / s / BUSY);
  return `## A million subscribers of \`newHeads\`

| what | figure | from |
|---|---|---|
| memory of connections | ${shown((b.subscriberKib * MILLION) / 2 ** 20)} GiB | ${shown(b.subscriberKib)} KiB each |
| processor time for one block | ${shown(work)} s | ${shown(b.noticeUs)} µs a notice |
| cores, if a block every ${BLOCK_S} s may take that long | ${shown(work / BLOCK_S)} | |
| cores, for all to know within 1 s | ${within(1)} | at ${BUSY * 100} % |
| cores, for all to know within 100 ms | ${within(0.1)} | |
| bytes for one block | ${shown((NOTICE_BYTES * MILLION) / 1e9)} GB | ${NOTICE_BYTES} bytes a notice |
| network, for all to know within 1 s | ${shown(gbit(NOTICE_BYTES * MILLION))} Gbit/s | |
| connections at nodes | one per worker and node | subscriptions to the same topic share one |

What ends first as subscribers grow, for one machine of ${CORES} cores with a card of ${CARD_GBIT} Gbit/s and 64 GiB:

| subscribers | what ends | what then |
|---|---|---|
${ordered([
  [(CARD_GBIT * 1e9) / 8 / NOTICE_BYTES, 'the network card, if all are to know within 1 s', 'another, or later'],
  [(CORES * BUSY * MILLION) / b.noticeUs, `the cores, if all are to know within 1 s, at ${BUSY * 100} %`, 'more machines'],
  [CORES * MAX_CONNECTIONS, `\`server.maxConnections\`, ${shown(MAX_CONNECTIONS)} of each worker by default`, 'a higher one, and `ulimit -n` above it'],
  [(64 * 2 ** 30) / (b.subscriberKib * 1024), 'memory of the process', 'more machines'],
])}

A worker tells its subscribers one after another: the last of ${shown(MAX_CONNECTIONS)} knows ${shown((b.noticeUs * MAX_CONNECTIONS) / 1e3)} ms after the first. Clients that read too slowly can take up to
\`server.webSocket.hardLimitBytes\` each before \`slowPolicy\` ends them: that is what to lower first where many are on phones.
`;
}

/** The page as Markdown; null when a figure is missing. */
export function scalePage({ cases, machine, versions }) {
  const b = basis(cases);
  if (b === null) return null;
  return `# On paper: a million a second

Worked out by \`npm run bench:report\` from figures measured by \`npm run bench -- all\` (${machine.cpu}, ${machine.cores} cores, Node.js ${versions.node}; [results](../native-bench/results/bench.json)); it is arithmetic,
not a measurement: nothing here was run at this size. Processor times are those of the gateway alone, engine \`uws\`, with all default features on; memory is
that of its process, to which the system adds its own for each socket.

${calls(b)}
${subscribers(b)}`;
}
