import { Flex } from '@patternfly/react-core';
import type { ListedOperation } from '@qmp-gateway/client';
import { useState } from 'react';
import { ActionButton } from '../access/action-button.js';
import { useMayRun } from '../access/use-may-run.js';
import { useRunCommand } from '../commands/use-run-command.js';
import type { OperationAction } from './migration-actions.js';
import { operationActions } from './operation-actions.js';
import { titleOf } from './operation-words.js';

/** What can be asked of an operation: only what its status and the caller's level allow. */
export function OperationButtons({ operation }: { readonly operation: ListedOperation }) {
  return (
    <Flex gap={{ default: 'gapSm' }} flexWrap={{ default: 'nowrap' }}>
      {operationActions(operation).map((action) => (
        <OperationButton key={action.command} operation={operation} action={action} />
      ))}
    </Flex>
  );
}

interface OperationButtonProps {
  readonly operation: ListedOperation;
  readonly action: OperationAction;
}

function OperationButton({ operation, action: { command, args, label, says } }: OperationButtonProps) {
  const { vm, job } = operation;
  const may = useMayRun(vm, command);
  const run = useRunCommand(vm);
  const [isSent, setSent] = useState(false);
  const press = async (): Promise<void> => {
    setSent(true);
    await run(command, args, { title: `${label}: ${job?.id ?? titleOf(operation)} on ${vm}` });
    setSent(false);
  };
  return (
    <ActionButton
      variant="secondary"
      isDanger={label === 'Cancel'}
      size="sm"
      does={says}
      whyNot={may.allowed === false ? may.reason : isSent ? 'It was sent.' : undefined}
      onClick={() => void press()}
    >
      {label}
    </ActionButton>
  );
}
