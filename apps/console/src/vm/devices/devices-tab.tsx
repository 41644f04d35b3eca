import {
  Button,
  EmptyState,
  EmptyStateBody,
  Title,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { PluggedIcon } from '@patternfly/react-icons/dist/esm/icons/plugged-icon.js';
import type { VmSchema } from '@qmp-gateway/client';
import { useCallback, useMemo, useState } from 'react';
import { Link } from 'react-router';
import { ActionButton } from '../../access/action-button.js';
import { useAnswer } from '../../api/use-answer.js';
import { useGateway, useVm } from '../../api/use-gateway.js';
import { Asked } from '../../app/asked.js';
import { formOf } from '../../forms/command-form.js';
import { whyNotOffered } from '../commands/offered-command.js';
import { useVmSchema } from '../commands/schema-memory.js';
import { qomAddress } from '../qom/qom-address.js';
import type { VmTabProps } from '../tabs.js';
import { askDevices, type PluggedDevice } from './ask-devices.js';
import { PciTable } from './pci-table.js';
import { PlugIn } from './plug-in.js';
import { UnplugButton } from './unplug-button.js';
import '../../forms/forms.css';

/** What comes and goes by itself is seen within this. */
const everyMs = 10_000;

/** The devices of a VM: those that can be unplugged, and the PCI bus. */
export default function DevicesTab({ vm }: VmTabProps) {
  return (
    <Asked answer={useVmSchema(vm)} what="The list of commands">
      {(schema) => <DevicesView vm={vm} schema={schema} />}
    </Asked>
  );
}

function DevicesView({ vm, schema }: { readonly vm: string; readonly schema: VmSchema }) {
  const { client } = useGateway();
  const epoch = useVm(vm)?.epoch;
  const question = useCallback(
    (signal: AbortSignal) => askDevices(client.vm(vm), schema, signal),
    // Another session of the VM may be another machine.
    [client, vm, schema, epoch],
  );
  const answer = useAnswer(question, everyMs);
  const [isPlugging, setPlugging] = useState(false);
  return (
    <div className="qg-fields">
      <Toolbar isStatic>
        <ToolbarContent>
          <ToolbarItem>
            <PlugInButton schema={schema} isOpen={isPlugging} onClick={() => setPlugging(!isPlugging)} />
          </ToolbarItem>
          <ToolbarItem>
            <Button variant="secondary" onClick={answer.again}>
              Ask again
            </Button>
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {isPlugging ? <PlugIn vm={vm} schema={schema} onDone={answer.again} /> : null}
      <Asked answer={answer} what="The list of devices">
        {({ plugged, pci }) => (
          <div className="qg-fields">
            {plugged.length === 0 ? (
              <NothingPlugged />
            ) : (
              <PluggedTable vm={vm} devices={plugged} onChange={answer.again} />
            )}
            {pci === undefined ? null : <PciTable rows={pci} />}
          </div>
        )}
      </Asked>
    </div>
  );
}

function PlugInButton({
  schema,
  isOpen,
  onClick,
}: {
  readonly schema: VmSchema;
  readonly isOpen: boolean;
  readonly onClick: () => void;
}) {
  const { grant } = useGateway();
  const form = useMemo(() => formOf(schema, 'device_add'), [schema]);
  const whyNot = form === undefined ? 'This VM has no command device_add.' : whyNotOffered(form.command, grant);
  return (
    <ActionButton whyNot={whyNot} onClick={onClick} aria-expanded={isOpen}>
      Plug in a device
    </ActionButton>
  );
}

function NothingPlugged() {
  return (
    <EmptyState titleText="No device has an id" headingLevel="h2" icon={PluggedIcon} variant="sm">
      <EmptyStateBody>
        Devices that were started or plugged in with an id are listed here, and can be unplugged.
      </EmptyStateBody>
    </EmptyState>
  );
}

function PluggedTable({
  vm,
  devices,
  onChange,
}: {
  readonly vm: string;
  readonly devices: readonly PluggedDevice[];
  readonly onChange: () => void;
}) {
  return (
    <section aria-labelledby="plugged-devices">
      <Title headingLevel="h2" id="plugged-devices">
        Devices with an id
      </Title>
      <Table variant="compact" aria-label="Devices with an id">
        <Thead>
          <Tr>
            <Th>Id</Th>
            <Th>Type</Th>
            <Th>In the object tree</Th>
            <Th screenReaderText="Actions" />
          </Tr>
        </Thead>
        <Tbody>
          {devices.map((device) => (
            <Tr key={device.id}>
              <Td dataLabel="Id" className="qg-mono" modifier="breakWord">
                {device.id}
              </Td>
              <Td dataLabel="Type" modifier="breakWord">
                {device.type}
              </Td>
              <Td dataLabel="In the object tree" modifier="breakWord">
                <Link to={qomAddress(vm, device.path)}>{device.path}</Link>
              </Td>
              <Td isActionCell>
                <UnplugButton vm={vm} id={device.id} onDone={onChange} />
              </Td>
            </Tr>
          ))}
        </Tbody>
      </Table>
    </section>
  );
}
