import { PageSection, Title } from '@patternfly/react-core';
import { EventsView } from './events-view.js';

/** The history of all VMs can be long, and is read when somebody asks. Every command has an operation, so those drown the rest. */
const defaults = { range: 'live', hide: ['operation'] } as const;

/** Events of all VMs. */
export default function EventsPage() {
  return (
    <>
      <PageSection>
        <Title headingLevel="h1">Events</Title>
      </PageSection>
      <PageSection isFilled aria-label="Events">
        <EventsView defaults={defaults} />
      </PageSection>
    </>
  );
}
