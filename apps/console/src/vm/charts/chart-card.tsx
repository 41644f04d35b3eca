import { Alert, Card, CardBody, CardHeader, CardTitle, Tooltip } from '@patternfly/react-core';
import InfoCircleIcon from '@patternfly/react-icons/dist/esm/icons/info-circle-icon.js';
import { lazy, Suspense } from 'react';
import type { ChartTitle, ChartUnit } from './chart-group.js';
import type { RollingSeries } from './rolling-series.js';
import { valueText } from './value-text.js';

/** uPlot comes with the first chart that is looked at. */
const LineChart = lazy(() => import('./line-chart.js'));

interface ChartCardProps {
  readonly chart: ChartTitle;
  readonly series: RollingSeries | undefined;
  readonly version: number;
  readonly why: string;
}

/** One chart, with the newest value of each line in words. */
export function ChartCard({ chart, series, version, why }: ChartCardProps) {
  const { title, unit, says } = chart;
  return (
    <Card isCompact isFullHeight>
      <CardHeader
        actions={{
          hasNoOffset: true,
          actions: (
            <Tooltip content={says}>
              <span tabIndex={0} role="img" aria-label={says}>
                <InfoCircleIcon />
              </span>
            </Tooltip>
          ),
        }}
      >
        <CardTitle component="h3">{title}</CardTitle>
      </CardHeader>
      <CardBody>
        {why === '' ? null : <p className="qg-second qg-wrapped">{why}</p>}
        <Suspense fallback={<div className="qg-chart" />}>
          {series === undefined ? null : <LineChart title={title} series={series} unit={unit} version={version} />}
        </Suspense>
        {series === undefined ? null : <Legend series={series} unit={unit} />}
      </CardBody>
    </Card>
  );
}

/** The lines by name, with their newest values. */
function Legend({ series, unit }: { readonly series: RollingSeries; readonly unit: ChartUnit }) {
  if (series.length === 0) return <p className="qg-second">Reading …</p>;
  return (
    <ul className="qg-chart-legend">
      {series.names.map((name, index) => (
        <li key={name}>
          <svg width="12" height="12" aria-hidden="true">
            <rect width="12" height="12" rx="2" className={`qg-chart-color-${index % 8}`} />
          </svg>
          <span className="qg-chart-name" title={name}>
            {name}
          </span>
          <strong>{valueText(series.last(name), unit)}</strong>
        </li>
      ))}
    </ul>
  );
}

/** Said in place of charts that there is nothing to draw for. */
export function NothingToRead({ reason }: { readonly reason: string }) {
  return (
    <Alert component="p" isInline isPlain variant="info" title="No numbers">
      {reason}
    </Alert>
  );
}
