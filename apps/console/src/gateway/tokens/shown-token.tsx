import { Alert, AlertActionCloseButton, ClipboardCopy } from '@patternfly/react-core';
import type { NewToken } from '@qmp-gateway/client';

/** A new token, shown this once. */
export function ShownToken({ token, onClose }: { readonly token: NewToken; readonly onClose: () => void }) {
  return (
    <Alert
      component="h2"
      isInline
      variant="success"
      title={`The token ${token.name} was made. It is shown this once: copy it now.`}
      actionClose={<AlertActionCloseButton title="the token" onClose={onClose} />}
    >
      <ClipboardCopy isReadOnly hoverTip="Copy" clickTip="Copied" textAriaLabel="The token">
        {token.token}
      </ClipboardCopy>
    </Alert>
  );
}
