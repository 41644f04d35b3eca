import {
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  Grid,
  GridItem,
  Progress,
  ProgressMeasureLocation,
  ProgressSize,
} from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { Time } from '../../app/time.js';
import { AgentCard } from './agent-card.js';
import { FreezeCard } from './freeze-card.js';
import { fileSystems, hostName, interfaces, osFacts, timeZone, users, type Fact } from './guest-facts.js';
import { useAgentAnswer } from './use-agent-answer.js';

/** What the guest says of itself. Each card asks by itself: a question that the agent does not know spoils no other. */
export function GuestInfo({ vm }: { readonly vm: string }) {
  return (
    <Grid hasGutter>
      <GridItem lg={6}>
        <AgentCard title="Operating system" answer={useAgentAnswer(vm, 'guest-get-osinfo')}>
          {(value) => <Facts facts={osFacts(value)} />}
        </AgentCard>
      </GridItem>
      <GridItem lg={6}>
        <NamesCard vm={vm} />
      </GridItem>
      <GridItem lg={12}>
        <AgentCard title="Network" answer={useAgentAnswer(vm, 'guest-network-get-interfaces')}>
          {(value) => <Interfaces value={value} />}
        </AgentCard>
      </GridItem>
      <GridItem lg={12}>
        <AgentCard title="File systems" answer={useAgentAnswer(vm, 'guest-get-fsinfo')}>
          {(value) => <FileSystems value={value} />}
        </AgentCard>
      </GridItem>
      <GridItem lg={6}>
        <AgentCard title="Users" answer={useAgentAnswer(vm, 'guest-get-users')}>
          {(value) => <Users value={value} />}
        </AgentCard>
      </GridItem>
      <GridItem lg={6}>
        <FreezeCard vm={vm} />
      </GridItem>
    </Grid>
  );
}

function NamesCard({ vm }: { readonly vm: string }) {
  const name = useAgentAnswer(vm, 'guest-get-host-name');
  const zone = useAgentAnswer(vm, 'guest-get-timezone');
  return (
    <AgentCard title="Name and zone" answer={name}>
      {(value) => (
        <Facts
          facts={[
            ['Host name', hostName(value)],
            ['Time zone', zone.kind === 'answered' ? timeZone(zone.value) : zone.why],
          ]}
        />
      )}
    </AgentCard>
  );
}

function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <DescriptionList isHorizontal isCompact>
      {facts.map(([term, text]) => (
        <DescriptionListGroup key={term}>
          <DescriptionListTerm>{term}</DescriptionListTerm>
          <DescriptionListDescription className="qg-wrapped">{text}</DescriptionListDescription>
        </DescriptionListGroup>
      ))}
    </DescriptionList>
  );
}

function Interfaces({ value }: { readonly value: unknown }) {
  return (
    <Table aria-label="Network interfaces" variant="compact" borders={false}>
      <Thead>
        <Tr>
          <Th width={15}>Interface</Th>
          <Th width={20}>MAC</Th>
          <Th width={40}>Addresses</Th>
          <Th>Received</Th>
          <Th>Sent</Th>
        </Tr>
      </Thead>
      <Tbody>
        {interfaces(value).map(({ name, mac, addresses, received, sent }) => (
          <Tr key={name}>
            <Td dataLabel="Interface">{name}</Td>
            <Td dataLabel="MAC" className="qg-mono">
              {mac}
            </Td>
            <Td dataLabel="Addresses" className="qg-mono" modifier="breakWord">
              {addresses.length === 0 ? '–' : addresses.map((address) => <div key={address}>{address}</div>)}
            </Td>
            <Td dataLabel="Received">{received}</Td>
            <Td dataLabel="Sent">{sent}</Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

function FileSystems({ value }: { readonly value: unknown }) {
  const all = fileSystems(value);
  if (all.length === 0) return <p className="qg-second">The agent lists none.</p>;
  return (
    <Table aria-label="File systems" variant="compact" borders={false}>
      <Thead>
        <Tr>
          <Th width={30}>Mounted at</Th>
          <Th>Type</Th>
          <Th>Device</Th>
          <Th width={40}>Used</Th>
        </Tr>
      </Thead>
      <Tbody>
        {all.map(({ mountpoint, type, device, usedPercent, size }) => (
          <Tr key={`${mountpoint} ${device}`}>
            <Td dataLabel="Mounted at" modifier="breakWord">
              {mountpoint}
            </Td>
            <Td dataLabel="Type">{type}</Td>
            <Td dataLabel="Device" modifier="breakWord">
              {device}
            </Td>
            <Td dataLabel="Used">
              {usedPercent === undefined ? (
                size
              ) : (
                <Progress
                  value={usedPercent}
                  title={size}
                  aria-label={`Used of ${mountpoint}`}
                  size={ProgressSize.sm}
                  measureLocation={ProgressMeasureLocation.outside}
                  label={`${Math.round(usedPercent)} %`}
                  {...(usedPercent > 95
                    ? { variant: 'danger' as const }
                    : usedPercent > 85
                      ? { variant: 'warning' as const }
                      : {})}
                />
              )}
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

function Users({ value }: { readonly value: unknown }) {
  const all = users(value);
  if (all.length === 0) return <p className="qg-second">Nobody is logged in.</p>;
  return (
    <ul>
      {all.map(({ user, sinceMs }) => (
        <li key={`${user} ${sinceMs ?? ''}`}>
          {user}
          {sinceMs === undefined ? null : (
            <>
              {' '}
              since <Time at={new Date(sinceMs).toISOString()} />
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
