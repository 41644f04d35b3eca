import { Content, EmptyState, EmptyStateBody, Flex, Label, Title, Tooltip } from '@patternfly/react-core';
import type { VmSchema } from '@qmp-gateway/client';
import { useMemo } from 'react';
import { useGateway } from '../../api/use-gateway.js';
import { formOf, type CommandOfVm } from '../../forms/command-form.js';
import { typeLabel } from '../../forms/field-types.js';
import { CommandRunner } from './command-runner.js';
import { CommandFinder } from './find-commands.js';
import { dependsOnArguments, whyNotOffered } from './offered-command.js';
import { Link } from 'react-router';
import { commandAddress } from './command-address.js';

/** One command: what it is, its form, what became of it. */
export function CommandPage({
  vm,
  schema,
  name,
  initial,
}: {
  readonly vm: string;
  readonly schema: VmSchema;
  readonly name: string;
  /** Text of arguments to begin with. */
  readonly initial: string | undefined;
}) {
  const { grant } = useGateway();
  const form = useMemo(() => formOf(schema, name), [schema, name]);
  if (form === undefined) return <NoSuchCommand vm={vm} schema={schema} name={name} />;
  const { command } = form;
  return (
    <Flex direction={{ default: 'column' }} gap={{ default: 'gapMd' }}>
      <Flex alignItems={{ default: 'alignItemsCenter' }} gap={{ default: 'gapSm' }}>
        <Title headingLevel="h2" className="qg-mono">
          {name}
        </Title>
        <ClassLabel command={command} />
        {command.deprecated ? <Label status="warning">deprecated</Label> : null}
        {command.oob ? (
          <Tooltip content="It can be run out of band, past a main loop that is busy.">
            <Label variant="outline" tabIndex={0}>
              out of band
            </Label>
          </Tooltip>
        ) : null}
      </Flex>
      <Content component="p">
        {command.summary ?? 'Nobody has described this command.'}{' '}
        <span className="qg-subtle">Returns {typeLabel(form.types, command.returns)}.</span>
      </Content>
      <CommandRunner vm={vm} form={form} initial={initial} whyNot={whyNotOffered(command, grant)} />
    </Flex>
  );
}

const meanings = {
  read: 'It changes nothing.',
  operate: 'It changes the running VM, and nothing on its host.',
  configure: 'It changes devices, the block graph or migration settings.',
  host: 'It can read or write files of the host, open its sockets, or run programs there.',
} as const;

function ClassLabel({ command }: { readonly command: CommandOfVm }) {
  const { lowestClass, highestClass } = command;
  const word = dependsOnArguments(command) ? `${lowestClass} to ${highestClass}` : highestClass;
  const meaning = dependsOnArguments(command)
    ? `The arguments decide which level it needs. ${highestClass}: ${meanings[highestClass]}`
    : `It needs level ${highestClass}. ${meanings[highestClass]}`;
  return (
    <Tooltip content={meaning}>
      <Label color={highestClass === 'read' ? 'blue' : highestClass === 'host' ? 'orange' : 'teal'} tabIndex={0}>
        {word}
      </Label>
    </Tooltip>
  );
}

function NoSuchCommand({
  vm,
  schema,
  name,
}: {
  readonly vm: string;
  readonly schema: VmSchema;
  readonly name: string;
}) {
  const near = new CommandFinder(schema.commands).find(name).commands.slice(0, 5);
  return (
    <EmptyState titleText={`This VM has no command ${name}`} headingLevel="h2" status="warning">
      <EmptyStateBody>
        {near.length === 0 ? 'None is near to it.' : 'Near to it: '}
        {near.map((command, index) => (
          <span key={command.name}>
            {index === 0 ? '' : ', '}
            <Link to={commandAddress(vm, command.name)}>{command.name}</Link>
          </span>
        ))}
      </EmptyStateBody>
    </EmptyState>
  );
}
