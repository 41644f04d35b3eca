import {
  ActionList,
  ActionListGroup,
  ActionListItem,
  Dropdown,
  DropdownItem,
  DropdownList,
  MenuToggle,
} from '@patternfly/react-core';
import { EllipsisVIcon } from '@patternfly/react-icons/dist/esm/icons/ellipsis-v-icon.js';
import type { Vm } from '@qmp-gateway/client';
import { useState } from 'react';
import { ActionButton } from '../../access/action-button.js';
import { useMayRun } from '../../access/use-may-run.js';
import { useGateway } from '../../api/use-gateway.js';
import { ConfirmAction } from './confirm-action.js';
import { powerActions, type PowerAction } from './power-actions.js';
import { runPowerAction } from './run-power-action.js';

/** Those with a button of their own; the others are in the menu. */
const buttons = new Set<PowerAction['command']>(['stop', 'cont', 'system_powerdown']);

/** What can be done to the whole VM. */
export function PowerButtons({ vm }: { readonly vm: Vm }) {
  const session = useGateway();
  const [asked, setAsked] = useState<PowerAction>();
  const run = (action: PowerAction): void => void runPowerAction(session, vm.id, action);
  const choose = (action: PowerAction): void => {
    if (action.asks) setAsked(action);
    else run(action);
  };
  return (
    <>
      <ActionList>
        <ActionListGroup>
          {powerActions
            .filter(({ command }) => buttons.has(command))
            .map((action) => (
              <ActionListItem key={action.command}>
                <PowerButton {...{ vm, action }} onChoose={() => choose(action)} />
              </ActionListItem>
            ))}
          <ActionListItem>
            <PowerMenu vm={vm} onChoose={choose} />
          </ActionListItem>
        </ActionListGroup>
      </ActionList>
      {asked === undefined ? null : (
        <ConfirmAction
          action={asked}
          what={vm.id}
          onCancel={() => setAsked(undefined)}
          onConfirm={() => {
            setAsked(undefined);
            run(asked);
          }}
        />
      )}
    </>
  );
}

/** Why the reader cannot do it: the policy's reason, or how the VM is. */
function useWhyNot(vm: Vm, action: PowerAction): string | undefined {
  const may = useMayRun(vm.id, action.command);
  return may.allowed === false ? may.reason : may.allowed === undefined ? 'Asking whether you may.' : action.whyNot(vm);
}

interface PowerChoiceProps {
  readonly vm: Vm;
  readonly action: PowerAction;
  readonly onChoose: () => void;
}

function PowerButton({ vm, action, onChoose }: PowerChoiceProps) {
  const whyNot = useWhyNot(vm, action);
  return (
    <ActionButton variant="secondary" onClick={onChoose} whyNot={whyNot} does={action.does}>
      {action.title}
    </ActionButton>
  );
}

function PowerMenu({ vm, onChoose }: { readonly vm: Vm; readonly onChoose: (action: PowerAction) => void }) {
  const [isOpen, setOpen] = useState(false);
  const choose = (action: PowerAction): void => {
    setOpen(false);
    onChoose(action);
  };
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="secondary"
          onClick={() => setOpen(!isOpen)}
          isExpanded={isOpen}
          icon={<EllipsisVIcon />}
          aria-label="More power actions"
        />
      )}
    >
      <DropdownList>
        {powerActions
          .filter(({ command }) => !buttons.has(command))
          .map((action) => (
            <PowerItem key={action.command} {...{ vm, action }} onChoose={() => choose(action)} />
          ))}
      </DropdownList>
    </Dropdown>
  );
}

function PowerItem({ vm, action, onChoose }: PowerChoiceProps) {
  const whyNot = useWhyNot(vm, action);
  return (
    <DropdownItem
      onClick={onChoose}
      isAriaDisabled={whyNot !== undefined}
      isDanger={action.isDangerous === true && whyNot === undefined}
      description={whyNot}
    >
      {action.title}
    </DropdownItem>
  );
}
