import { HelperText, HelperTextItem, Menu, MenuContent, MenuItem, MenuList, SearchInput } from '@patternfly/react-core';
import type { Grant, VmSchema } from '@qmp-gateway/client';
import { useDeferredValue, useMemo, useState } from 'react';
import { useNavigate } from 'react-router';
import { useGateway } from '../../api/use-gateway.js';
import type { CommandOfVm } from '../../forms/command-form.js';
import { commandAddress } from './command-address.js';
import { CommandFinder } from './find-commands.js';
import { whyNotOffered } from './offered-command.js';

/** All commands of the VM, and a search. Those that the caller may not run say why. */
export function CommandList({
  vm,
  schema,
  chosen,
}: {
  readonly vm: string;
  readonly schema: VmSchema;
  readonly chosen: string;
}) {
  const { grant } = useGateway();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const wanted = useDeferredValue(text);
  const finder = useMemo(() => new CommandFinder(schema.commands), [schema]);
  const { commands, isNear } = finder.find(wanted);
  const open = (name: string): void => void navigate(commandAddress(vm, name));
  const first = commands.find((command) => whyNotOffered(command, grant) === undefined);
  return (
    <div className="qg-fields">
      <SearchInput
        value={text}
        placeholder={`Search ${schema.commands.length} commands`}
        aria-label="Search commands"
        onChange={(_, value) => setText(value)}
        onClear={() => setText('')}
        onSearch={() => first !== undefined && open(first.name)}
      />
      {isNear ? (
        <HelperText isLiveRegion>
          <HelperTextItem variant="warning">
            {commands.length === 0 ? 'No command is near to that.' : 'No command has these words. Near to them:'}
          </HelperTextItem>
        </HelperText>
      ) : null}
      {commands.length === 0 ? null : (
        <Menu isScrollable isPlain onSelect={(_, name) => open(String(name))} activeItemId={chosen}>
          <MenuContent maxMenuHeight="70vh">
            <MenuList aria-label="Commands">{commands.map((command) => commandItem(command, grant))}</MenuList>
          </MenuContent>
        </Menu>
      )}
    </div>
  );
}

/** A function, as the menu wants its items as direct children. */
function commandItem(command: CommandOfVm, grant: Grant) {
  const { name, summary, deprecated } = command;
  const whyNot = whyNotOffered(command, grant);
  return (
    <MenuItem
      key={name}
      itemId={name}
      description={summary ?? undefined}
      {...(whyNot === undefined ? {} : { isAriaDisabled: true, tooltipProps: { content: whyNot, position: 'right' } })}
    >
      <span className="qg-mono">{name}</span>
      {deprecated ? <span className="qg-subtle"> deprecated</span> : null}
    </MenuItem>
  );
}
