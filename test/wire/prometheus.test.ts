import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { FAULTS } from '../../src/base/fault.ts';
import { LABELS, METRICS, type MetricSpec } from '../../src/observe/metricTable.ts';
import { rpc } from '../help/client.ts';
import { type TestGateway, testGateway } from '../help/gateway.ts';
import { promtool, startPrometheus, type TestPrometheus } from '../help/prometheus.ts';
import { needs } from '../help/require.ts';
import { ScriptNode } from '../help/scriptNode.ts';

const CONFIG = join(import.meta.dirname, '../../config');
const PROMETHEUS = join(CONFIG, 'prometheus');
const read = (path: string): string => readFileSync(join(CONFIG, path), 'utf8');

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}
interface RuleTests {
  readonly tests: readonly {
    readonly input_series: readonly { readonly series: string }[];
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts?: readonly unknown[] }[];
  }[];
}
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
}

const rules = (parse(read('prometheus/alerts.yaml')) as Rules).groups.flatMap((group) => group.rules);
const ruleTests = (parse(read('prometheus/alerts.test.yaml')) as RuleTests).tests;
const dashboard = JSON.parse(read('grafana/tidegate.json')) as Dashboard;
const panels = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
const variables = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
const series = ruleTests.flatMap(({ input_series }) => input_series.map((input) => input.series));

const FOREIGN = /^(up|process_[a-z_]+)$/;
const WORDS = new Set(['and', 'or', 'unless', 'offset', 'bool', 'instance', 'chain']);

/** Names of the series that an expression asks for. */
function seriesIn(expr: string): string[] {
  const bare = expr
    .replace(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, ' ')
    .replace(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/\b[a-zA-Z_]\w*\b(?!\s*\()/g)].map(([name]) => name).filter((name) => !WORDS.has(name));
}

/** The metric that a series belongs to: a histogram shows itself under three names, none of them its own. */
const specOf = (name: string): MetricSpec | undefined =>
  Object.values(METRICS).find((spec) =>
    spec.type === 'histogram'
      ? name.replace(/_(bucket|sum|count)$/, '') !== name && name.replace(/_(bucket|sum|count)$/, '') === spec.name
      : name === spec.name,
  );

/** Series that no metric has, and labels in braces that their metric lacks. */
function faultsIn(expr: string): string[] {
  const unknown = seriesIn(expr).filter((name) => specOf(name) === undefined && !FOREIGN.test(name));
  const labels = [...expr.matchAll(/(\w+)\{([^}]*)\}/g)].flatMap(([, name = '', matchers = '']) => {
    const known = ['instance', 'job', 'le', ...(specOf(name)?.labels ?? [])];
    return [...matchers.matchAll(/(\w+)\s*(?:=|!=|=~|!~)\s*"/g)]
      .map(([, label = '']) => label)
      .filter((label) => !known.includes(label));
  });
  return [...unknown, ...labels];
}

describe('alerts and dashboard', () => {
  test.each([
    ...rules.map(({ alert, expr }) => [alert, expr]),
    ...panels.map(({ title, expr }) => [title, expr]),
    ...[...variables, ...series].map((expr) => [expr, expr]),
  ])('%s names metrics and labels that exist', (_, expr = '') => expect(faultsIn(expr)).toEqual([]));

  test('a wrong name would be found', () => {
    expect(faultsIn('sum by (chain) (rate(tidegate_nothing_total[5m])) > 0 and tidegate_panic == 1')).toEqual([
      'tidegate_nothing_total',
    ]);
    expect(faultsIn('rate(tidegate_reorg_depth[5m]) + tidegate_panic_count')).toEqual([
      'tidegate_reorg_depth',
      'tidegate_panic_count',
    ]);
    expect(faultsIn('tidegate_panic{upstream="a"}')).toEqual(['upstream']);
    expect(faultsIn('histogram_quantile(0.5, sum by (le) (rate(tidegate_reorg_depth_bucket{le="4"}[5m])))')).toEqual(
      [],
    );
  });

  test('count as failed what is the fault of a node or of the gateway', () => {
    const failed = Object.values(FAULTS)
      .filter(({ status, source }) => (status >= 500 || status === 429) && source !== 'client')
      .map(({ kind }) => kind);
    const exprs = [...rules, ...panels]
      .map(({ expr }) => expr)
      .filter((expr) => expr.includes('tidegate_requests_total{') && expr.includes('outcome=~'));
    expect(exprs.length).toBeGreaterThan(1);
    for (const expr of exprs)
      expect(/outcome=~"([^"]*)"/.exec(expr)?.[1]?.split('|').sort()).toEqual(failed.toSorted());
  });

  test('name states and outcomes of nodes that exist', () => {
    const text = [...rules, ...panels].map(({ expr }) => expr).join('\n');
    const states = [...text.matchAll(/state="(\w+)"/g)].map(([, state]) => state);
    expect(states.length).toBeGreaterThan(0);
    for (const state of states) expect(LABELS.states.names).toContain(state);
    const outcomes = /outcome!~"([^"]*)"/.exec(text)?.[1]?.split('|') ?? [];
    expect(outcomes.length).toBeGreaterThan(0);
    for (const outcome of outcomes) expect(LABELS.upstreamOutcomes.names).toContain(outcome);
  });

  test('every alert is tested both firing and silent', () => {
    const tried = ruleTests.flatMap(({ alert_rule_test }) => alert_rule_test);
    const names = rules.map(({ alert }) => alert).sort();
    const tell = (fires: boolean) =>
      [
        ...new Set(
          tried.filter(({ exp_alerts = [] }) => exp_alerts.length > 0 === fires).map(({ alertname }) => alertname),
        ),
      ].sort();
    expect(tell(true)).toEqual(names);
    expect(tell(false)).toEqual(names);
  });
});

describe.skipIf(!needs('promtool'))('promtool (needs promtool)', () => {
  test.each([
    ['check', 'rules', 'alerts.yaml'],
    ['test', 'rules', 'alerts.test.yaml'],
    ['check', 'config', 'prometheus.yaml'],
  ])('%s %s %s', async (what, of, file) => {
    const { code, text } = await promtool([what, of, join(PROMETHEUS, file)]);
    expect(code, text).toBe(0);
  });
});

describe.skipIf(!needs('promtool') || !needs('prometheus'))(
  'a Prometheus that scrapes the gateway (needs prometheus)',
  () => {
    let node: ScriptNode;
    let gateway: TestGateway;
    let prometheus: TestPrometheus;
    beforeAll(async () => {
      node = await ScriptNode.start(() => ({ result: '"0x1"' }));
      gateway = await testGateway([{ name: 'a', httpUrl: node.httpUrl }]);
      await gateway.until(({ a }) => a?.state === 'serving');
      await rpc(gateway.url, 'eth_gasPrice');
      prometheus = await startPrometheus(PROMETHEUS, new URL(gateway.adminUrl).host);
    });
    afterAll(async () => {
      await prometheus?.stop();
      await gateway?.close();
      await node?.close();
    });

    /** The result of a query once it has one. */
    const some = (expr: string) =>
      vi.waitFor(
        async () => {
          const found = await prometheus.query(expr);
          if (found.length === 0) throw new Error(`no series: ${expr}`);
          return found;
        },
        { timeout: 15_000, interval: 100 },
      );

    test('sees it up, and the calls it counted', async () => {
      expect(await some('up{job="tidegate"} == 1')).toHaveLength(1);
      const [result] = await some('tidegate_requests_total{outcome="result"}');
      expect(result).toMatchObject({ metric: { chain: 'test' }, value: [expect.any(Number), '1'] });
      expect(await some('tidegate_upstream_state == 1')).toMatchObject([
        { metric: { upstream: 'a', state: 'serving' } },
      ]);
    });

    test('knows every alert', async () => {
      expect((await prometheus.alerts()).toSorted()).toEqual(rules.map(({ alert }) => alert).sort());
    });

    test.each(panels)('answers the panel $title: $expr', async ({ expr }) => {
      await some(expr.replaceAll('$__rate_interval', '1m').replace(/\$(instance|chain)/g, '.*'));
    });

    test('promtool has nothing to say about our metrics', async () => {
      const page = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
      const { text } = await promtool(['check', 'metrics'], page);
      expect(text.split('\n').filter((line) => line.startsWith('tidegate_') || line.includes('error'))).toEqual([]);
      expect(
        (await promtool(['check', 'metrics'], `${page}# TYPE tidegate_bad counter\ntidegate_bad 1\n`)).text,
      ).toContain('tidegate_bad');
    });
  },
);
