import {
  Button,
  FormSelect,
  FormSelectOption,
  Label,
  LabelGroup,
  Toolbar,
  ToolbarContent,
  ToolbarGroup,
  ToolbarItem,
  Tooltip,
} from '@patternfly/react-core';
import PauseIcon from '@patternfly/react-icons/dist/esm/icons/pause-icon.js';
import PlayIcon from '@patternfly/react-icons/dist/esm/icons/play-icon.js';
import SortAmountDownIcon from '@patternfly/react-icons/dist/esm/icons/sort-amount-down-icon.js';
import SortAmountUpIcon from '@patternfly/react-icons/dist/esm/icons/sort-amount-up-icon.js';
import { EventCount } from './event-count.js';
import type { EventFeed } from './event-feed.js';
import type { EventFilter, EventRange } from './event-filter.js';
import { FilterField } from './filter-field.js';
import { globsOf } from './glob.js';

export interface EventToolbarProps {
  readonly feed: EventFeed;
  readonly filter: EventFilter;
  readonly change: (part: Partial<EventFilter>) => void;
  /** Whether the view is of one VM, so that nothing is to be said of others. */
  readonly ofOneVm: boolean;
  readonly eventNames: readonly string[];
  readonly onPause: () => void;
  readonly onResume: () => void;
}

const ranges: readonly { readonly value: EventRange; readonly label: string }[] = [
  { value: 'live', label: 'From now on' },
  { value: '15m', label: 'Last 15 minutes' },
  { value: '1h', label: 'Last hour' },
  { value: '6h', label: 'Last 6 hours' },
  { value: 'all', label: 'All that is kept' },
];

/** Filters, how far back, and pause. */
export function EventToolbar(props: EventToolbarProps) {
  return (
    <Toolbar className="qg-tools qg-event-tools">
      <ToolbarContent>
        <FilterFields {...props} />
      </ToolbarContent>
      <ToolbarContent>
        <ToolbarItem alignSelf="center">
          <EventCount feed={props.feed} />
        </ToolbarItem>
        <HiddenNames {...props} />
        <ToolbarGroup align={{ default: 'alignEnd' }} gap={{ default: 'gapSm' }}>
          <OrderAndPause {...props} />
        </ToolbarGroup>
      </ToolbarContent>
    </Toolbar>
  );
}

function FilterFields({ filter, change, ofOneVm, eventNames }: EventToolbarProps) {
  return (
    <ToolbarGroup variant="filter-group">
      <ToolbarItem>
        <RangeSelect filter={filter} change={change} />
      </ToolbarItem>
      <ToolbarItem>
        <FilterField
          label="Search in events"
          placeholder="Search in events"
          value={filter.text}
          onValue={(text) => change({ text })}
        />
      </ToolbarItem>
      <ToolbarItem>
        <FilterField
          label="Names of events, as globs"
          placeholder="Event: BLOCK_*"
          value={filter.event.join(', ')}
          onValue={(text) => change({ event: globsOf(text) })}
          suggestions={eventNames}
        />
      </ToolbarItem>
      {ofOneVm ? null : <FleetFields filter={filter} change={change} />}
    </ToolbarGroup>
  );
}

function FleetFields({ filter, change }: Pick<EventToolbarProps, 'filter' | 'change'>) {
  return (
    <>
      <ToolbarItem>
        <FilterField
          label="Ids of VMs, as globs"
          placeholder="VM: web-*"
          value={filter.vm.join(', ')}
          onValue={(text) => change({ vm: globsOf(text) })}
        />
      </ToolbarItem>
      <ToolbarItem>
        <FilterField
          label="Labels of VMs"
          placeholder="Label: tenant=a"
          value={filter.label.join(',')}
          onValue={(text) => change({ label: text.split(',').filter((label) => label !== '') })}
        />
      </ToolbarItem>
    </>
  );
}

function RangeSelect({ filter: { range }, change }: Pick<EventToolbarProps, 'filter' | 'change'>) {
  const all = range.startsWith('after:') ? [...ranges, { value: range, label: 'From one event on' }] : ranges;
  return (
    <FormSelect
      aria-label="From when on"
      value={range}
      onChange={(_, value) => change({ range: value as EventRange })}
      className="qg-event-range"
    >
      {all.map(({ value, label }) => (
        <FormSelectOption key={value} value={value} label={label} />
      ))}
    </FormSelect>
  );
}

function OrderAndPause({ feed, filter, change, onPause, onResume }: EventToolbarProps) {
  const newestFirst = filter.order === 'newest-first';
  return (
    <>
      <ToolbarItem>
        <Tooltip content={newestFirst ? 'The newest are first' : 'The oldest are first'}>
          <Button
            variant="control"
            icon={newestFirst ? <SortAmountDownIcon /> : <SortAmountUpIcon />}
            aria-label={newestFirst ? 'Show the oldest first' : 'Show the newest first'}
            onClick={() => change({ order: newestFirst ? 'oldest-first' : 'newest-first' })}
          />
        </Tooltip>
      </ToolbarItem>
      <ToolbarItem>
        <Button variant="link" onClick={() => feed.clear()}>
          Clear
        </Button>
      </ToolbarItem>
      <ToolbarItem>
        {feed.paused ? (
          <Button variant="primary" icon={<PlayIcon />} onClick={onResume}>
            Resume{feed.cameSincePause > 0 ? ` (${feed.cameSincePause.toLocaleString()} new)` : ''}
          </Button>
        ) : (
          <Button variant="secondary" icon={<PauseIcon />} onClick={onPause}>
            Pause
          </Button>
        )}
      </ToolbarItem>
    </>
  );
}

function HiddenNames({ filter: { hide }, change }: EventToolbarProps) {
  if (hide.length === 0) return null;
  return (
    <ToolbarItem alignSelf="center">
      <LabelGroup categoryName="Not shown" numLabels={10}>
        {hide.map((name) => (
          <Label
            key={name}
            variant="outline"
            onClose={() => change({ hide: hide.filter((each) => each !== name) })}
            closeBtnAriaLabel={`Show ${name} again`}
          >
            {name}
          </Label>
        ))}
      </LabelGroup>
    </ToolbarItem>
  );
}
