import { PageSection, Title } from '@patternfly/react-core';
import { OperationsView } from './operations-view.js';

/** Operations on all VMs. */
export default function OperationsPage() {
  return (
    <>
      <PageSection>
        <Title headingLevel="h1">Operations</Title>
      </PageSection>
      <PageSection isFilled aria-label="Operations">
        <OperationsView />
      </PageSection>
    </>
  );
}
