import {
  FormSelect,
  FormSelectOption,
  Grid,
  GridItem,
  Title,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from '@patternfly/react-core';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { useVm } from '../../api/use-gateway.js';
import type { VmTabProps } from '../tabs.js';
import type { ChartGroup } from './chart-group.js';
import { ChartCard, NothingToRead } from './chart-card.js';
import './charts.css';
import { cpuGroup } from './cpu-reader.js';
import { DirtyRateCard } from './dirty-rate-card.js';
import { diskGroup } from './disk-reader.js';
import { memoryGroup } from './memory-reader.js';
import { networkGroup } from './network-reader.js';
import { useChartGroup } from './use-chart-group.js';

const groups: readonly ChartGroup[] = [cpuGroup, diskGroup, networkGroup, memoryGroup];
const pauses = [1, 2, 5, 10];
const defaultPause = 2;

/** Charts of a VM. The VM is asked only while this is looked at; how it was before is not known. */
export default function ChartsTab({ vm }: VmTabProps) {
  const [query, setQuery] = useSearchParams();
  const wanted = Number(query.get('every'));
  const pause = pauses.includes(wanted) ? wanted : defaultPause;
  const state = useVm(vm)?.state;
  return (
    <>
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem>
            <FormSelect
              aria-label="How often the VM is asked"
              value={String(pause)}
              onChange={(_, value) =>
                setQuery(Number(value) === defaultPause ? {} : { every: value }, { replace: true })
              }
            >
              {pauses.map((seconds) => (
                <FormSelectOption key={seconds} value={String(seconds)} label={`Ask every ${seconds} s`} />
              ))}
            </FormSelect>
          </ToolbarItem>
          <ToolbarItem alignSelf="center" className="qg-second">
            {state === 'ready'
              ? 'Asked only while you look at it, from now on.'
              : 'The VM is not connected: the charts go on when it is.'}
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {groups.map((group) => (
        <Group key={`${group.id} ${pause}`} vm={vm} group={group} pauseMs={pause * 1000} />
      ))}
      <Title headingLevel="h2" size="lg" className="qg-chart-group">
        Dirty memory
      </Title>
      <DirtyRateCard vm={vm} />
    </>
  );
}

function Group({ vm, group, pauseMs }: { readonly vm: string; readonly group: ChartGroup; readonly pauseMs: number }) {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const shown = useChartGroup(vm, group, { pauseMs, element });
  return (
    <section ref={setElement} aria-label={group.title}>
      <Title headingLevel="h2" size="lg" className="qg-chart-group">
        {group.title}
      </Title>
      {shown.kind === 'none' ? (
        <NothingToRead reason={shown.reason} />
      ) : (
        <Grid hasGutter>
          {group.charts.map((chart) => (
            <GridItem key={chart.id} lg={6} xl={group.charts.length > 2 ? 4 : 6}>
              <ChartCard chart={chart} series={shown.series[chart.id]} version={shown.version} why={shown.why} />
            </GridItem>
          ))}
        </Grid>
      )}
    </section>
  );
}
