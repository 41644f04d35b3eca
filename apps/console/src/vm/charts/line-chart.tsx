import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { ChartUnit } from './chart-group.js';
import type { RollingSeries } from './rolling-series.js';
import { valueText } from './value-text.js';

const height = 160;
/** The time axis is as long from the first moment on. */
const leastSeconds = 60;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' });
const powersOfTwo = Array.from({ length: 60 }, (_, power) => 2 ** power);

interface LineChartProps {
  readonly title: string;
  readonly series: RollingSeries;
  readonly unit: ChartUnit;
  /** Another number where the series have changed. */
  readonly version: number;
}

/** Lines over time. A picture: the numbers are in the legend beside it. */
export default function LineChart({ title, series, unit, version }: LineChartProps) {
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const names = series.names.join('\n');
  useEffect(() => {
    const { current } = element;
    if (current === null) return;
    const made = new uPlot(plotOptions(current, series.names, unit), series.columns(), current);
    plot.current = made;
    const size = new ResizeObserver(() => made.setSize({ width: current.clientWidth, height }));
    size.observe(current);
    // Colours are drawn, so another theme needs another drawing.
    const theme = new MutationObserver(() => made.redraw());
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['class'] });
    return () => {
      size.disconnect();
      theme.disconnect();
      made.destroy();
    };
  }, [series, names, unit]);
  useEffect(() => plot.current?.setData(series.columns()), [series, version]);
  return <div ref={element} className="qg-chart" role="img" aria-label={`${title} over time`} />;
}

function plotOptions(element: HTMLElement, names: readonly string[], unit: ChartUnit): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: () => tokenOf(element, '--pf-t--global--text--color--subtle'),
    grid: { stroke: () => tokenOf(element, '--pf-t--global--border--color--default'), width: 1 },
    ticks: { show: false },
    font: '12px sans-serif',
  };
  return {
    ...{ width: Math.max(100, element.clientWidth), height },
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      x: { range: (_, first, last) => [Math.min(first, last - leastSeconds), last] },
      y: { range: (_, least, most) => rangeOf(unit, least, most) },
    },
    axes: [
      { ...axis, size: 28, space: 80, values: (_, splits) => splits.map((seconds) => clock.format(seconds * 1000)) },
      {
        ...{ ...axis, size: 74, values: (_, splits) => splits.map((value) => valueText(value, unit)) },
        ...(unit.startsWith('bytes') ? { incrs: powersOfTwo } : {}),
      },
    ],
    series: [
      {},
      ...names.map((name, index) => ({
        label: name,
        width: 2,
        points: { show: false },
        stroke: () => lineColor(element, index),
      })),
    ],
  };
}

/** From nothing on, so that a small change does not look like a large one. */
function rangeOf(unit: ChartUnit, least: number | null, most: number | null): [number, number] {
  if (unit === 'percent') return [0, 100];
  const top = Math.max(most ?? 0, least ?? 0);
  return [0, top <= 0 ? 1 : top * 1.1];
}

function lineColor(element: HTMLElement, index: number): string {
  return tokenOf(element, `--qg-chart-${index % 8}`);
}

function tokenOf(element: HTMLElement, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim() || 'gray';
}
