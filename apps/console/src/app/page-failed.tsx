import { Button, EmptyState, EmptyStateActions, EmptyStateBody, EmptyStateFooter } from '@patternfly/react-core';
import { useRouteError } from 'react-router';

/** A part of the console failed, or is no longer there because the gateway was upgraded. */
export function PageFailed() {
  const error = useRouteError();
  const message = error instanceof Error ? error.message : String(error);
  return (
    <EmptyState titleText="This page cannot be shown" headingLevel="h1" status="danger">
      <EmptyStateBody>{message}. If the gateway was upgraded meanwhile, loading the console anew helps.</EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          <Button onClick={() => location.reload()}>Load anew</Button>
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  );
}
