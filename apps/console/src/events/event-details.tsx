import {
  Button,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  DrawerActions,
  DrawerCloseButton,
  DrawerHead,
  DrawerPanelBody,
  DrawerPanelContent,
  Flex,
  Title,
} from '@patternfly/react-core';
import { writeJson, type AnyEvent } from '@qmp-gateway/client';
import { useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import { exactTime } from '../app/times.js';
import type { FeedEvent } from './event-feed.js';
import type { EventFilter } from './event-filter.js';
import { exactTimes } from './local-time.js';
import { ValueView } from './value-view.js';

export interface EventDetailsProps {
  readonly item: FeedEvent;
  readonly filter: EventFilter;
  readonly change: (part: Partial<EventFilter>) => void;
  readonly ofOneVm: boolean;
  readonly onClose: () => void;
}

/** All of one event, and what to do with it. */
export function EventDetails({ item, filter, change, ofOneVm, onClose }: EventDetailsProps) {
  const { event } = item;
  return (
    <DrawerPanelContent isResizable defaultSize="29rem" minSize="20rem">
      <DrawerHead>
        <Title headingLevel="h2" size="lg" className="qg-wrapped">
          {event.event}
        </Title>
        <DrawerActions>
          <DrawerCloseButton onClick={onClose} aria-label="Close the details" />
        </DrawerActions>
      </DrawerHead>
      <DrawerPanelBody>
        <Actions event={event} filter={filter} change={change} ofOneVm={ofOneVm} />
        <Facts event={event} />
        <Title headingLevel="h3" size="md">
          Data
        </Title>
        <ValueView key={item.number} value={event.data} label={`Data of ${event.event}`} />
      </DrawerPanelBody>
    </DrawerPanelContent>
  );
}

function Facts({ event }: { readonly event: AnyEvent }) {
  return (
    <DescriptionList isHorizontal isCompact className="qg-event-facts">
      <Fact term="Received">
        <time dateTime={event.time} title={exactTimes(event)}>
          {exactTime(event.time)}
        </time>
      </Fact>
      {event.vm === null ? null : (
        <Fact term="VM">
          <Link to={`/vms/${encodeURIComponent(event.vm)}`}>{event.vm}</Link>
        </Fact>
      )}
      {event.coalesced === undefined ? null : <Fact term="Stands for">{event.coalesced} equal events</Fact>}
      <Fact term="Session">
        <span className="qg-mono">{event.epoch ?? '–'}</span>
      </Fact>
      <Fact term="Cursor">
        <span className="qg-mono">{event.cursor}</span>
      </Fact>
    </DescriptionList>
  );
}

function Fact({ term, children }: { readonly term: string; readonly children: ReactNode }) {
  return (
    <DescriptionListGroup>
      <DescriptionListTerm>{term}</DescriptionListTerm>
      <DescriptionListDescription>{children}</DescriptionListDescription>
    </DescriptionListGroup>
  );
}

function Actions({
  event,
  filter,
  change,
  ofOneVm,
}: Omit<EventDetailsProps, 'item' | 'onClose'> & { readonly event: AnyEvent }) {
  const { vm } = event;
  return (
    <Flex gap={{ default: 'gapSm' }} className="qg-event-actions">
      <Button variant="secondary" size="sm" onClick={() => change({ event: [event.event] })}>
        Only these
      </Button>
      <Button
        variant="secondary"
        size="sm"
        onClick={() => change({ hide: [...new Set([...filter.hide, event.event])] })}
      >
        Hide these
      </Button>
      {ofOneVm || vm === null ? null : (
        <Button variant="secondary" size="sm" onClick={() => change({ vm: [vm] })}>
          Only this VM
        </Button>
      )}
      <Button variant="secondary" size="sm" onClick={() => change({ range: `after:${event.cursor}` })}>
        What came after it
      </Button>
      <CopyButton text={writeJson(event) ?? ''} />
    </Flex>
  );
}

/** Copies where the browser lets it (not on a plain http page of another host), and says when it does not. */
function CopyButton({ text }: { readonly text: string }) {
  const [said, setSaid] = useState('Copy as JSON');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied');
    } catch {
      setSaid('The browser does not let it');
    }
  };
  return (
    <Button variant="secondary" size="sm" onClick={() => void copy()}>
      {said}
    </Button>
  );
}
