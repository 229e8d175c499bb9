// Which figures become charts.
import { barChart } from './svg.mjs';

/** Bars of one figure, in the table's order; null where the case was not measured. */
function group(cases, [name, title, shownAs], key) {
  const found = cases[name]?.tables.find((one) => one.title.startsWith(title));
  if (found === undefined) return null;
  const bars = Object.entries(found.rows).filter(([, row]) => row.figures[key] !== undefined).map(([peer, row]) => ({ name: peer, ...row.figures[key] }));
  return bars.length === 0 ? null : { name: shownAs, bars };
}

const CALLS = [
  ['hit-small', '64', 'small answer from the cache'],
  ['hit-large', '64', '100 kB from the cache'],
  ['pass-small', '64 connections', 'small call passed through'],
  ['ws-calls', '64', 'call over WebSocket'],
  ['churn', '64', 'a connection for each call'],
];

const CHARTS = {
  'calls-per-second': { title: 'Calls per second', note: '64 connections, closed loop; stub, load and gateway on the same 2 cores. More is better.', parts: CALLS, key: 'callsPerS' },
  'processor-time': { title: 'Processor time per call, µs', note: 'User and system time of the proxy, all its processes. Less is better.', parts: CALLS, key: 'usPerCall' },
  'added-delay': { title: 'Latency at a fixed rate, µs', note: '30 % of what HAProxy can at most, 64 connections; median and 99th percentile.', parts: [['open', '', 'p50'], ['open', '', 'p99']], keys: ['p50Us', 'p99Us'], isApart: true },
  subscribers: { title: 'A new block told to 1,000 subscribers', note: 'Processor time per notice, µs; delay of the median and slowest percent of them, ms.', parts: [['fanout', '', 'µs per notice'], ['fanout', '', 'p50, ms'], ['fanout', '', 'p99, ms']], keys: ['usPerNotice', 'p50Ms', 'p99Ms'], isApart: true },
};

/** @returns file name -> SVG, of the charts that there are figures for */
export function charts(cases) {
  const made = {};
  for (const [name, { title, note, parts, key, keys, isApart }] of Object.entries(CHARTS)) {
    const groups = parts.map((part, i) => group(cases, part, keys?.[i] ?? key)).filter((one) => one !== null);
    if (groups.length > 0) made[`${name}.svg`] = barChart({ title, note, groups, isApart });
  }
  return made;
}
