// The targets, each with what was measured.

/** Least delay before a call is sent a second time (`routing.hedge.minMs`). */
const HEDGE_MS = 20;
const KB = 1000;

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const times = (n) => `${n.toFixed(2)} x`;
const table = (cases, name, title) => cases[name]?.tables.find((one) => one.title.startsWith(title));

/** Ratio of a row's figure to another row's, round by round. */
const ratio = (found, own, other, key) => {
  const [a, b] = [found?.rounds?.[own], found?.rounds?.[other]];
  return a === undefined || b === undefined ? null : median(a.map((round, i) => round[key] / b[i][key]));
};
const figure = (found, row, key) => found?.rows[row]?.figures[key]?.median ?? null;

const atLeast = (must, stretch) => ({ must: `>= ${must}`, stretch: `>= ${stretch}`, verdict: (n) => (n >= stretch ? 'met, stretch too' : n >= must ? 'met' : 'missed') });
const atMost = (must, stretch) => ({ must: `<= ${must}`, stretch: stretch === null ? '-' : `<= ${stretch}`, verdict: (n) => (stretch !== null && n <= stretch ? 'met, stretch too' : n > must ? 'missed' : must === Number.POSITIVE_INFINITY ? 'stretch missed' : 'met') });

const row = (what, n, limit, show = times) => ({
  what,
  measured: n === null || Number.isNaN(n) ? '-' : show(n),
  must: limit.must,
  stretch: limit.stretch,
  verdict: n === null || Number.isNaN(n) ? 'not measured' : limit.verdict(n),
});

/** Rows of one trouble of the failover case. */
function failover(cases, title, what) {
  const found = table(cases, 'failover', title);
  const failed = figure(found, 'tidegate-uws', 'failed');
  const p99 = figure(found, 'tidegate-uws', 'p99Us');
  const steady = figure(found, 'tidegate-uws', 'steadyP99Us');
  const limitMs = steady === null ? null : (2 * steady) / 1000 + HEDGE_MS;
  return [
    row(`failover, ${what}: failed calls`, failed, atMost(0, null), String),
    { ...row(`failover, ${what}: p99`, p99 === null ? null : p99 / 1000, atMost(Number.POSITIVE_INFINITY, limitMs ?? 0), (n) => `${n.toFixed(1)} ms`), must: '-', stretch: limitMs === null ? '-' : `<= ${limitMs.toFixed(1)} ms` },
  ];
}

/** @param cases of a file of results @returns list of { what, measured, must, stretch, verdict } */
export function targets(cases) {
  const own = 'tidegate-uws';
  const hit = table(cases, 'hit-small', '64');
  const large = table(cases, 'pass-large', '1 MB');
  const slow = table(cases, 'pass-large', '10 MB, 32');
  const open = table(cases, 'open', '');
  const workers = (rate) => ratio(table(cases, 'workers', `engine uws, the same rate for ${rate}`), '2 workers', '1 worker', 'usPerCall');
  const idle = (kind) => {
    const kib = figure(table(cases, 'idle', kind === 'HTTP' ? '10000 idle connections, http' : '10000 idle connections, web'), own, 'kibEach');
    return kib === null ? null : (kib * 1024) / KB;
  };
  const added = (key) => {
    const [a, b] = [figure(open, own, key), figure(open, 'haproxy', key)];
    // nothing added is less than this can measure
    return a === null || b === null || a <= 0 || b <= 0 ? null : a / b;
  };
  const growth = figure(slow, own, 'growthMib');
  const fan = cases.fanout?.tables[0]?.rows[own]?.ratios.usPerNotice?.median ?? null;
  const pass = [64, 256].flatMap((connections) => {
    const found = table(cases, 'pass-small', `${connections} connections`);
    const what = `pass-through, ${connections} connections, to HAProxy`;
    return [row(`${what}: req/s`, ratio(found, own, 'haproxy', 'callsPerS'), atLeast(1, 1.15)), row(`${what}: µs`, ratio(found, own, 'haproxy', 'usPerCall'), atMost(1, null))];
  });
  return [
    row('hit, to nginx proxy_cache: req/s', ratio(hit, own, 'nginx-cache', 'callsPerS'), atLeast(1.05, 1.2)),
    row('hit, to nginx proxy_cache: µs', ratio(hit, own, 'nginx-cache', 'usPerCall'), atMost(1, null)),
    row('hit, to raw uWebSockets.js: req/s', ratio(hit, own, 'uws-raw', 'callsPerS'), atLeast(0.6, 0.7)),
    ...pass,
    row('added delay at 30 % of HAProxy, to HAProxy: p50', added('addedP50Us'), atMost(2, 1.5)),
    row('added delay at 30 % of HAProxy, to HAProxy: p99', added('addedP99Us'), atMost(3, 2)),
    row('answers of 10 MB to 32 slow readers (305 MiB): memory', growth, atMost(64, null), (n) => `${n.toFixed(0)} MiB`),
    { ...row('pass-through 1 MB, to nginx: µs', ratio(large, own, 'nginx', 'usPerCall'), atMost(Number.POSITIVE_INFINITY, 1.3)), must: '-' },
    row('fan-out, to raw publish: µs per notice', fan, atMost(1.25, 1.15)),
    ...failover(cases, 'a node dies', 'a node dies'),
    ...failover(cases, 'a node hangs', 'a node hangs'),
    row('2 workers to 1, the same rate for each: µs per call', workers('each'), atMost(1.15, 1.1)),
    row('2 workers to 1, the same rate for both together: µs per call', workers('all'), atMost(1.15, 1.1)),
    row('idle connection, HTTP', idle('HTTP'), atMost(16, 12), (n) => `${n.toFixed(1)} kB`),
    row('idle connection, WebSocket', idle('WebSocket'), atMost(16, 12), (n) => `${n.toFixed(1)} kB`),
  ];
}
