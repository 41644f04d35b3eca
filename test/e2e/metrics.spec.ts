import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricTable } from '../../apps/gateway/src/metrics/metric-table.js';
import { openLines } from './event-readers.js';
import { echo, fakeMachine, fakeMachineSettings } from './fake-machine.js';
import type { GatewayProcess } from './gateway-process.js';
import { GatewayScene, makeToken, registerVm, run } from './gateway-scene.js';
import { exchange } from './http-exchange.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Labels that a scrape adds. */
const scraped = ['job', 'instance'];
const scene = new GatewayScene();
let gateway: GatewayProcess;
let vm: string;

/** The labels of a metric, by its name; each with the values seen. */
type Metrics = Map<string, Map<string, Set<string>>>;

async function scrape(): Promise<Metrics> {
  const { text } = await exchange(gateway, '/metrics');
  const metrics: Metrics = new Map();
  for (const [, name = ''] of text.matchAll(/^# TYPE (\w+) \w+$/gm)) metrics.set(name, new Map());
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const seen = metrics.get(name) ?? new Map<string, Set<string>>();
    metrics.set(name, seen);
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
      seen.set(label, (seen.get(label) ?? new Set()).add(value));
  }
  return metrics;
}

/** The labels of a metric, as seen. Those of a fleet have series only in one: test/fleet looks at them. */
function labelsOf(metrics: Metrics, name: string): string[] {
  const seen = [...(metrics.get(name)?.keys() ?? [])];
  const described: Readonly<Record<string, { readonly labels: object }>> = metricTable;
  return name.startsWith('qmpgw_fleet_') && seen.length === 0 ? Object.keys(described[name]?.labels ?? {}) : seen;
}

const baseOf = (name: string) => name.replace(/_(?:bucket|sum|count)$/, '');

// Something of everything: a command done, one refused, one whose work ends later, an event delivered, an oddity.
beforeAll(async () => {
  gateway = await scene.gateway({ settings: fakeMachineSettings });
  const machine = await fakeMachine(scene);
  vm = await registerVm(gateway, machine.endpoint);
  const nobody = `unix:${scene.directory()}/nobody`;
  const withAgent = { method: 'PUT', body: JSON.stringify({ endpoint: nobody, agent: nobody }) };
  expect((await exchange(gateway, '/v1/vms/with-agent', withAgent)).status).toBe(201);
  expect((await run(gateway, vm, echo, '{}')).status).toBe(200);
  expect((await run(gateway, vm, echo, '{"integer": "x"}')).status).toBe(400);
  expect((await run(gateway, vm, 'stop')).status).toBe(200);
  const stream = await openLines(gateway, '/v1/events', 'application/x-ndjson');
  scene.keep(stream, (opened) => opened.close());
  for (const { socket } of machine.fake.connections) socket.write('{"return": {}, "id": "foreign"}\r\n');
  machine.fake.emit('STOP');
  await stream.line();
});
afterAll(() => scene.end());

describe('/metrics', () => {
  it('has the metrics of docs/metrics.md with their labels, and no others of ours', async () => {
    const page = readFileSync(`${root}docs/metrics.md`, 'utf8');
    const documented = [...page.matchAll(/^### (qmpgw_\w+)\n\nA (\w+)\. [^]*?(?=^##)/gm)].map(
      ([section, name = '']) => [name, [...section.matchAll(/^- `(\w+)`: \S/gm)].map(([, label]) => label).sort()],
    );
    const metrics = await scrape();
    const shown = [...metrics.keys()]
      .filter((name) => name.startsWith('qmpgw_') && (name in metricTable || baseOf(name) === name))
      .map((name) => [name, labelsOf(metrics, name).sort()]);
    expect(shown).toEqual(documented);
  });

  it('has labels with bounded values: what callers and VMs that went make up is not in them', async () => {
    const before = await scrape();
    for (let n = 0; n < 20; n++) {
      await run(gateway, vm, `invented-${n}`);
      await run(gateway, `nobody-${n}`, 'query-status');
    }
    const passing = await registerVm(gateway, 'unix:/nowhere/at-all', { state: 'waiting' });
    expect((await scrape()).get('qmpgw_vm_state')?.get('vm')).toContain(passing);
    expect((await exchange(gateway, `/v1/vms/${passing}`, { method: 'DELETE' })).status).toBe(204);
    const after = await scrape();
    const commands = after.get('qmpgw_commands_total');
    expect([...(commands?.get('command') ?? [])].sort()).toEqual([echo, 'stop', 'unknown'].sort());
    expect(commands?.get('outcome')).toContain('command-not-found');
    expect(after.get('qmpgw_vm_state')).toEqual(before.get('qmpgw_vm_state'));
  });

  it('is for those who see all VMs', async () => {
    const some = makeToken(gateway, { name: 'some', level: 'host', vms: ['a*'] });
    const refused = await exchange(gateway, '/metrics', { headers: { Authorization: `Bearer ${some}` } });
    expect([refused.status, refused.json()['code']]).toEqual([403, 'forbidden']);
  });
});

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const functions = new Set(['sum', 'max', 'rate', 'topk', 'histogram_quantile']);

/** What a query names: metrics with the labels they are selected by, and the labels it groups by. */
function namesIn(expression: string): { metrics: { name: string; labels: string[] }[]; groups: string[] } {
  const groups = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/,\s*/));
  const rest = expression.replaceAll(/\bby \([^)]*\)|\[[^\]]*\]/g, '');
  const metrics = [...rest.matchAll(/([a-z]\w*)(?:\{([^}]*)\})?/g)]
    .filter(([, name = '']) => !functions.has(name))
    .map(([, name = '', selector = '']) => ({
      name,
      labels: [...selector.matchAll(/(\w+)(?:=~|!~|!=|=)"[^"]*"/g)].map(([, label = '']) => label),
    }));
  return { metrics, groups };
}

async function expectNamesExist(expression: string, shown: readonly string[] = []): Promise<void> {
  const there = await scrape();
  const { metrics, groups } = namesIn(expression);
  expect(metrics.length).toBeGreaterThan(0);
  for (const { name, labels } of metrics) {
    expect([name, there.has(name)]).toEqual([name, true]);
    const known = [...labelsOf(there, name), ...scraped];
    expect(known).toEqual(expect.arrayContaining([...labels, ...groups, ...shown]));
  }
}

const alerts = [...readFileSync(`${root}docs/metrics.md`, 'utf8').matchAll(/^\| `(.*)` \| /gm)].map(
  ([, rule = '']) => rule,
);

describe('alerts of docs/metrics.md', () => {
  it('are some', () => {
    expect(alerts.length).toBeGreaterThan(3);
  });

  it.each(alerts)('%s names metrics and labels that there are', async (rule) => {
    await expectNamesExist(rule);
  });
});

describe('packaging/grafana/qmp-gateway.json', () => {
  const dashboard = JSON.parse(readFileSync(`${root}packaging/grafana/qmp-gateway.json`, 'utf8')) as {
    panels: Panel[];
    templating: { list: { name: string; query: string | { query: string } }[] };
  };
  const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map((target) => ({ title, ...target })),
  );

  it('shows every metric of ours but the one that says the version', () => {
    const used = new Set(queries.flatMap(({ expr }) => namesIn(expr).metrics.map(({ name }) => baseOf(name))));
    const ours = Object.keys(metricTable).filter((name) => name !== 'qmpgw_info');
    expect([...used]).toEqual(expect.arrayContaining(ours));
  });

  it.each(queries)('$title: $expr names metrics and labels that there are', async ({ expr, legendFormat }) => {
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    await expectNamesExist(expr, shown);
  });

  it('has a variable of the VMs, which queries use', () => {
    const variable = dashboard.templating.list.find(({ name }) => name === 'vm')?.query;
    expect(variable).toMatchObject({ query: 'label_values(qmpgw_vm_state, vm)' });
    const variables = queries.flatMap(({ expr }) => [...expr.matchAll(/\$(?!__)(\w+)/g)].map(([, name]) => name));
    expect(new Set(variables)).toEqual(new Set(['vm']));
  });
});
