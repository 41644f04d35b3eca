import { Alert, Bullseye, EmptyState, EmptyStateBody, Spinner } from '@patternfly/react-core';
import { useState } from 'react';
import { useVm } from '../../api/use-gateway.js';
import type { VmTabProps } from '../tabs.js';
import { SerialTerminal } from './serial-terminal.js';
import { useSerials } from './use-serials.js';

/** The serial lines of the VM: what they said, what they say, and typing. */
export default function SerialTab({ vm: id }: VmTabProps) {
  const vm = useVm(id);
  const { serials, why } = useSerials(id, vm?.epoch ?? null);
  const [chosen, setChosen] = useState<string>();
  if (serials === undefined && why === undefined)
    return (
      <Bullseye>
        <Spinner aria-label="Looking for serial lines" />
      </Bullseye>
    );
  const line =
    serials?.find((each) => each.id === chosen) ?? serials?.find(({ available }) => available) ?? serials?.[0];
  if (line === undefined || serials === undefined)
    return (
      <EmptyState titleText="No serial line" headingLevel="h2">
        <EmptyStateBody className="qg-wrapped">{why ?? 'The VM has none that can be attached.'}</EmptyStateBody>
      </EmptyState>
    );
  if (!line.available)
    return (
      <Alert component="h2" isInline variant="warning" title={`The serial line ${line.id} cannot be attached`}>
        {line.reason}
      </Alert>
    );
  return <SerialTerminal key={line.id} vm={id} line={line} serials={serials} onChoose={setChosen} />;
}
