import { Alert, AlertActionLink } from '@patternfly/react-core';
import type { Vm } from '@qmp-gateway/client';
import { useState } from 'react';
import { useGateway } from '../../api/use-gateway.js';
import { usePicture } from '../picture/use-picture.js';

interface PictureScreenProps {
  readonly vm: Vm;
  /** Why it is not live. */
  readonly why: string;
  /** Makes it live, where that is possible. */
  readonly open?: () => Promise<void>;
}

const everyMs = 2_000;

/** The screen as a picture that is taken again and again. */
export function PictureScreen({ vm: { id, state, display }, why, open }: PictureScreenProps) {
  const { grant } = useGateway();
  const { url, why: whyNoPicture } = usePicture(id, everyMs, state === 'ready' && display !== false);
  const [failure, setFailure] = useState<string>();
  const mayOpen = open !== undefined && (grant.level === 'configure' || grant.level === 'host');
  const openIt = (): void =>
    void open?.().catch((error: unknown) => setFailure(error instanceof Error ? error.message : String(error)));
  return (
    <>
      <Alert
        component="h2"
        isInline
        variant="info"
        title={
          display === false ? 'This VM has no display device' : 'A picture every 2 seconds: it cannot be typed into'
        }
        {...(mayOpen ? { actionLinks: <AlertActionLink onClick={openIt}>Open it live</AlertActionLink> } : {})}
      >
        {failure ?? why}
      </Alert>
      {url === undefined ? null : (
        <div className="qg-screen">
          <img src={url} alt={`Screen of ${id}`} />
        </div>
      )}
      {whyNoPicture === undefined ? null : (
        <Alert
          component="h2"
          isInline
          variant="warning"
          title={url === undefined ? 'No picture' : 'This picture is old'}
        >
          {whyNoPicture}
        </Alert>
      )}
    </>
  );
}
