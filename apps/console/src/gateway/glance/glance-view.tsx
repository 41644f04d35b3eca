import { Card, CardBody, CardTitle, Gallery, GalleryItem } from '@patternfly/react-core';
import { useCallback, type ReactNode } from 'react';
import { useGateway, useVms } from '../../api/use-gateway.js';
import { useAnswer } from '../../api/use-answer.js';
import { Asked } from '../../app/asked.js';
import { Since } from '../../app/since.js';
import { bytesText } from '../../units/quantities.js';
import { Facts, type Fact } from '../../vm/overview/facts.js';
import { countsOf, statesOf } from '../../vms/vm-filter.js';
import { readMetrics, sumOf, sumsBy, type Metrics } from './metrics-text.js';

const everyMs = 5_000;
const mostRows = 8;

/** How the gateway does, from its own metrics. */
export default function GlanceView() {
  const { client } = useGateway();
  const vms = useVms();
  const about = useAnswer(useCallback((signal) => client.about({ signal }), [client]));
  const metrics = useAnswer(
    useCallback(async (signal) => readMetrics(await client.metrics({ signal })), [client]),
    everyMs,
  );
  return (
    <>
      <Gallery hasGutter minWidths={{ default: '100%', md: '20rem' }}>
        <GlanceCard title="Gateway">
          <Asked answer={about} what="The gateway">
            {({ name, version, run }) => (
              <Facts
                facts={[
                  ['Name', name],
                  ['Version', version],
                  ['Run', run],
                  ['Started', metrics.value === undefined ? undefined : startedAt(metrics.value)],
                  [
                    'Memory',
                    metrics.value === undefined
                      ? undefined
                      : bytesText(sumOf(metrics.value, 'process_resident_memory_bytes')),
                  ],
                ]}
              />
            )}
          </Asked>
        </GlanceCard>
        <GlanceCard title="VMs">
          <Facts
            facts={[
              ['In all', vms.length.toLocaleString()],
              ...countsOf(vms, statesOf).map(({ value, count }): Fact => [value, count.toLocaleString()]),
            ]}
          />
        </GlanceCard>
        {metrics.value === undefined ? null : <MetricCards metrics={metrics.value} />}
      </Gallery>
      {metrics.value !== undefined && metrics.why === undefined ? null : (
        <Asked answer={metrics} what="What it measured of itself">
          {() => null}
        </Asked>
      )}
    </>
  );
}

function MetricCards({ metrics }: { readonly metrics: Metrics }) {
  const rows = (name: string, label: string): Fact[] =>
    sumsBy(metrics, name, label)
      .filter(([, sum]) => sum > 0)
      .slice(0, mostRows)
      .map(([key, sum]) => [key, sum.toLocaleString()]);
  const events = (what: string): string => sumOf(metrics, 'qmpgw_events_total', { what }).toLocaleString();
  return (
    <>
      <GlanceCard title="Commands, by outcome">
        <FactsOrNone facts={rows('qmpgw_commands_total', 'outcome')} />
      </GlanceCard>
      <GlanceCard title="Commands, by name">
        <FactsOrNone facts={rows('qmpgw_commands_total', 'command')} />
      </GlanceCard>
      <GlanceCard title="Events">
        <Facts
          facts={[
            ['Came in', events('in')],
            ['Delivered', events('delivered')],
            ['Dropped', events('dropped')],
            ['Streams', sumOf(metrics, 'qmpgw_event_subscribers').toLocaleString()],
            ['Screens, serial lines', sumOf(metrics, 'qmpgw_stream_clients').toLocaleString()],
          ]}
        />
      </GlanceCard>
    </>
  );
}

function FactsOrNone({ facts }: { readonly facts: readonly Fact[] }) {
  return facts.length === 0 ? <>None yet</> : <Facts facts={facts} />;
}

function GlanceCard({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <GalleryItem>
      <Card isFullHeight component="section" aria-label={title}>
        <CardTitle component="h2">{title}</CardTitle>
        <CardBody>{children}</CardBody>
      </Card>
    </GalleryItem>
  );
}

function startedAt(metrics: Metrics) {
  const seconds = sumOf(metrics, 'process_start_time_seconds');
  return seconds === 0 ? undefined : <Since at={new Date(seconds * 1000).toISOString()} />;
}
