import { Badge, Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { useState } from 'react';
import { useMayRun } from '../../access/use-may-run.js';
import { powerActions, type PowerAction } from '../../vm/power/power-actions.js';
import { ConfirmAction } from '../../vm/power/confirm-action.js';
import { FanOutResults } from './fan-out-results.js';

interface SelectionActionsProps {
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
}

/** Ids named before something is done to them; the others are a number. */
const mostNamed = 10;

/** Something done to all selected VMs, each with its result. */
export function SelectionActions({ selected, onSelect }: SelectionActionsProps) {
  const [asked, setAsked] = useState<PowerAction>();
  const [running, setRunning] = useState<{ action: PowerAction; ids: readonly string[] }>();
  const ids = [...selected];
  return (
    <>
      <SelectionMenu ids={ids} onChoose={setAsked} />
      {asked === undefined ? null : (
        <ConfirmAction
          action={asked}
          what={countOfVms(ids.length)}
          onCancel={() => setAsked(undefined)}
          onConfirm={() => {
            setAsked(undefined);
            setRunning({ action: asked, ids });
          }}
        >
          <p className="qg-wrapped qg-named">{namedIds(ids)}</p>
        </ConfirmAction>
      )}
      {running === undefined ? null : (
        <FanOutResults
          {...running}
          onClose={() => {
            setRunning(undefined);
            onSelect(new Set());
          }}
        />
      )}
    </>
  );
}

interface SelectionMenuProps {
  readonly ids: readonly string[];
  readonly onChoose: (action: PowerAction) => void;
}

function SelectionMenu({ ids, onChoose }: SelectionMenuProps) {
  const [isOpen, setOpen] = useState(false);
  const [first] = ids;
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="primary"
          onClick={() => setOpen(!isOpen)}
          isExpanded={isOpen}
          isDisabled={ids.length === 0}
          badge={ids.length > 0 ? <Badge isRead>{ids.length.toLocaleString()}</Badge> : undefined}
        >
          Actions
        </MenuToggle>
      )}
    >
      <DropdownList>
        {first === undefined
          ? null
          : powerActions.map((action) => (
              <SelectionItem
                key={action.command}
                {...{ action, first }}
                onChoose={() => {
                  setOpen(false);
                  onChoose(action);
                }}
              />
            ))}
      </DropdownList>
    </Dropdown>
  );
}

interface SelectionItemProps {
  readonly action: PowerAction;
  /** Stands for all: what may differ is told by each result. */
  readonly first: string;
  readonly onChoose: () => void;
}

function SelectionItem({ action, first, onChoose }: SelectionItemProps) {
  const may = useMayRun(first, action.command);
  const isRefused = may.allowed === false;
  return (
    <DropdownItem
      onClick={onChoose}
      isAriaDisabled={isRefused}
      isDanger={action.isDangerous === true && !isRefused}
      description={isRefused ? may.reason : undefined}
    >
      {action.title}
    </DropdownItem>
  );
}

function countOfVms(count: number): string {
  return count === 1 ? '1 VM' : `${count.toLocaleString()} VMs`;
}

function namedIds(ids: readonly string[]): string {
  const more = ids.length - mostNamed;
  return ids.slice(0, mostNamed).join(', ') + (more > 0 ? ` and ${more.toLocaleString()} more` : '');
}
