import type { Serial } from '@qmp-gateway/client';
import { useEffect, useRef, useState, useSyncExternalStore, type ReactNode } from 'react';
import { useMayRun } from '../../access/use-may-run.js';
import { useVmClient } from '../../api/use-gateway.js';
import { TerminalLine } from './terminal-line.js';
import { SerialToolbar } from './serial-toolbar.js';
import { useTerminal } from './use-terminal.js';

interface SerialTerminalProps {
  readonly vm: string;
  readonly line: Serial;
  readonly serials: readonly Serial[];
  readonly onChoose: (id: string) => void;
}

/** One serial line in a terminal. */
export function SerialTerminal({ vm, line, serials, onChoose }: SerialTerminalProps) {
  const client = useVmClient(vm);
  const may = useMayRun(vm, 'send-key');
  const whyLooking = may.allowed === false ? may.reason : undefined;
  const place = useRef<HTMLDivElement>(null);
  const terminal = useTerminal(place);
  const [link, setLink] = useState<TerminalLine>();
  const [isLooking, setLooking] = useState(false);
  const view = isLooking || whyLooking !== undefined;
  useEffect(() => {
    if (terminal === undefined || may.allowed === undefined) return;
    terminal.reset();
    const made = new TerminalLine(client.serial(line.id), terminal, view);
    const typing = terminal.onData((text) => {
      if (!view) made.type(text);
    });
    setLink(made);
    return () => {
      typing.dispose();
      made.close();
    };
  }, [client, line.id, terminal, view, may.allowed]);
  return (
    <div className="qg-live">
      {link === undefined ? null : (
        <Standing link={link}>
          {(standing) => (
            <SerialToolbar
              {...{ vm, line, serials, link, standing, whyLooking, onChoose }}
              isLooking={view}
              onLook={setLooking}
            />
          )}
        </Standing>
      )}
      <div className="qg-terminal" ref={place} aria-label={`Serial line ${line.id} of ${vm}`} role="application" />
    </div>
  );
}

interface StandingProps {
  readonly link: TerminalLine;
  readonly children: (standing: TerminalLine['standing']) => ReactNode;
}

function Standing({ link, children }: StandingProps) {
  return children(useSyncExternalStore(link.changed.subscribe, () => link.standing));
}
