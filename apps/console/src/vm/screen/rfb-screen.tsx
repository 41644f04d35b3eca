import { Alert, AlertActionLink } from '@patternfly/react-core';
import type { Display } from '@qmp-gateway/client';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useMayRun } from '../../access/use-may-run.js';
import { useVmClient } from '../../api/use-gateway.js';
import { PasswordForm } from './password-form.js';
import { RfbLink, type LinkOptions, type LinkState } from './rfb-link.js';
import { ScreenToolbar } from './screen-toolbar.js';

interface RfbScreenProps {
  readonly vm: string;
  readonly display: Display;
}

/** The screen live, with what a keyboard in a browser cannot do. */
export function RfbScreen({ vm, display }: RfbScreenProps) {
  const may = useMayRun(vm, 'send-key');
  if (may.allowed === undefined) return null;
  return <LiveScreen {...{ vm, display }} whyLooking={may.allowed === false ? may.reason : undefined} />;
}

function LiveScreen({ vm, display, whyLooking }: RfbScreenProps & { readonly whyLooking: string | undefined }) {
  const client = useVmClient(vm);
  const frame = useRef<HTMLDivElement>(null);
  const [options, setOptions] = useState<LinkOptions>({ view: whyLooking !== undefined, take: false });
  const [link, setLink] = useState<RfbLink>();
  const [scale, setScale] = useState(true);
  useEffect(() => {
    if (frame.current === null) return;
    const made = new RfbLink(client, display.id, frame.current, options);
    setLink(made);
    return () => made.close();
  }, [client, display.id, options]);
  useEffect(() => {
    if (link !== undefined) link.scale = scale;
  }, [link, scale]);
  return (
    <div className="qg-live">
      <ScreenToolbar
        {...{ vm, link, scale, whyLooking }}
        isLooking={options.view}
        onScale={setScale}
        onLook={(view) => setOptions({ view, take: false })}
        onTake={() => setOptions({ view: false, take: true })}
        onFullScreen={() => void frame.current?.requestFullscreen()}
      />
      {link === undefined ? null : (
        <LinkNotice
          link={link}
          onTake={() => setOptions({ view: false, take: true })}
          onAgain={() => setOptions((before) => ({ ...before }))}
        />
      )}
      <div className="qg-screen" ref={frame} aria-label={`Screen of ${vm}`} role="application" />
      {display.warnings.map((warning) => (
        <Alert component="h2" key={warning} isInline isPlain variant="warning" title={warning} />
      ))}
    </div>
  );
}

interface LinkNoticeProps {
  readonly link: RfbLink;
  readonly onTake: () => void;
  readonly onAgain: () => void;
}

/** How the live screen stands; nothing while it is as it should be. */
function LinkNotice({ link, onTake, onAgain }: LinkNoticeProps) {
  const state: LinkState = useSyncExternalStore(link.changed.subscribe, () => link.state);
  if (state.kind === 'open') return null;
  if (state.kind === 'connecting')
    return <Alert component="h2" isInline isPlain variant="info" title="Connecting to the screen" />;
  if (state.kind === 'asks-password') return <PasswordForm onAnswer={(password) => link.answer(password)} />;
  if (state.kind === 'lost')
    return (
      <Alert component="h2" isInline variant="warning" title="The screen is not connected; it comes back by itself">
        {state.why}
      </Alert>
    );
  if (state.kind === 'looks')
    return (
      <Alert
        component="h2"
        isInline
        variant="info"
        title="Somebody else types; you look"
        actionLinks={<AlertActionLink onClick={onTake}>Take over</AlertActionLink>}
      >
        {state.why}
      </Alert>
    );
  return (
    <Alert
      component="h2"
      isInline
      variant="warning"
      title="The screen was closed"
      actionLinks={<AlertActionLink onClick={onAgain}>Try again</AlertActionLink>}
    >
      {state.why}
    </Alert>
  );
}
