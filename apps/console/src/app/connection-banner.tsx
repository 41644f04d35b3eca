import { Alert, AlertActionCloseButton, Banner, Spinner } from '@patternfly/react-core';
import { useConnection, useGateway, useMissedChanges } from '../api/use-gateway.js';
import { Time } from './time.js';

/** Says that what is shown may be old, and what was missed. Nothing is lost without a word. */
export function ConnectionBanner() {
  const connection = useConnection();
  const missed = useMissedChanges();
  const { vms } = useGateway();
  return (
    <div role="status">
      {connection.kind === 'lost' ? (
        <Banner status="warning" screenReaderText="Warning" data-testid="connection-lost">
          <Spinner size="sm" isInline aria-hidden /> No connection to the gateway since{' '}
          <Time at={connection.since.toISOString()} />. What is shown may be old; the console connects again by itself.
          ({connection.why})
        </Banner>
      ) : null}
      {missed === undefined ? null : (
        <Alert
          component="h2"
          isInline
          variant="warning"
          title={missedWords(missed)}
          actionClose={<AlertActionCloseButton title="missed changes" onClose={() => vms.forgetMissed()} />}
        >
          The list was read anew at <Time at={missed.at.toISOString()} />, so what is shown is current.
        </Alert>
      )}
    </div>
  );
}

function missedWords({ missed, vm }: { readonly missed: number | null; readonly vm: string | null }): string {
  const what =
    missed === null ? 'Changes were missed' : `${missed} ${missed === 1 ? 'change was' : 'changes were'} missed`;
  return vm === null ? `${what}, nobody knows of which VMs.` : `${what} of ${vm}.`;
}
