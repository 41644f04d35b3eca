/** One value of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Samples by name of the metric. */
export type Metrics = ReadonlyMap<string, readonly Sample[]>;

const line = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/;
const pair = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Reads the text format of Prometheus (version 0.0.4). Lines that are none are left out. */
export function readMetrics(text: string): Metrics {
  const metrics = new Map<string, Sample[]>();
  for (const each of text.split('\n')) {
    const [, name, labels = '', value] = line.exec(each) ?? [];
    if (name === undefined || value === undefined) continue;
    const sample = { labels: readLabels(labels), value: numberOf(value) };
    const samples = metrics.get(name);
    if (samples === undefined) metrics.set(name, [sample]);
    else samples.push(sample);
  }
  return metrics;
}

/** Of all samples of a metric that have these labels; 0 where there is none. */
export function sumOf(metrics: Metrics, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels);
  let sum = 0;
  for (const sample of metrics.get(name) ?? [])
    if (wanted.every(([key, value]) => sample.labels[key] === value)) sum += sample.value;
  return sum;
}

/** Sums by the value of a label, the largest first. */
export function sumsBy(metrics: Metrics, name: string, label: string): readonly (readonly [string, number])[] {
  const sums = new Map<string, number>();
  for (const { labels, value } of metrics.get(name) ?? []) {
    const key = labels[label] ?? '';
    sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return [...sums].sort(([, one], [, other]) => other - one);
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(pair))
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  return labels;
}

function numberOf(text: string): number {
  if (text === '+Inf') return Infinity;
  return text === '-Inf' ? -Infinity : Number(text);
}
