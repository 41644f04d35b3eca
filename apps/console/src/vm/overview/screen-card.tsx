import { Card, CardBody, CardTitle, EmptyState, EmptyStateBody } from '@patternfly/react-core';
import type { Vm } from '@qmp-gateway/client';
import { Link } from 'react-router';
import { usePicture } from '../picture/use-picture.js';

const everyMs = 5_000;

/** The screen, which leads to it. */
export function ScreenCard({ vm: { id, state, display } }: { readonly vm: Vm }) {
  const { url, why } = usePicture(id, everyMs, state === 'ready' && display !== false);
  const reason =
    state !== 'ready' ? 'The gateway is not connected.' : display === false ? 'It has no display device.' : why;
  return (
    <Card isFullHeight component="section" aria-label="Screen">
      <CardTitle component="h2">Screen</CardTitle>
      <CardBody>
        {url === undefined ? (
          <EmptyState
            variant="xs"
            titleText={reason === undefined ? 'Taking a picture' : 'No picture'}
            headingLevel="h3"
          >
            {reason === undefined ? null : <EmptyStateBody>{reason}</EmptyStateBody>}
          </EmptyState>
        ) : (
          <Link
            to={`/vms/${encodeURIComponent(id)}/screen`}
            className="qg-picture"
            aria-label={`Open the screen of ${id}`}
          >
            <img src={url} alt={`Screen of ${id}`} />
          </Link>
        )}
      </CardBody>
    </Card>
  );
}
