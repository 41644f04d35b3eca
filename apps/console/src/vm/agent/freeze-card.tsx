import { Button, Flex, Label, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useState } from 'react';
import { ActionButton } from '../../access/action-button.js';
import { useMayRun } from '../../access/use-may-run.js';
import { useGateway } from '../../api/use-gateway.js';
import { AgentCard } from './agent-card.js';
import { runAgentCommand } from './run-agent-command.js';
import { useAgentAnswer } from './use-agent-answer.js';

/** Whether the file systems of the guest are frozen, and the buttons for it. */
export function FreezeCard({ vm }: { readonly vm: string }) {
  const answer = useAgentAnswer(vm, 'guest-fsfreeze-status');
  return (
    <AgentCard title="Freezing of file systems" answer={answer}>
      {(value) => (
        <Flex gap={{ default: 'gapMd' }} alignItems={{ default: 'alignItemsCenter' }}>
          <Label status={value === 'frozen' ? 'warning' : 'success'} variant="outline">
            {value === 'frozen' ? 'Frozen: nothing can write in the guest' : 'Not frozen'}
          </Label>
          {value === 'frozen' ? (
            <FreezeButton vm={vm} command="guest-fsfreeze-thaw" label="Thaw" onDone={answer.askAgain} />
          ) : (
            <FreezeButton vm={vm} command="guest-fsfreeze-freeze" label="Freeze" onDone={answer.askAgain} />
          )}
        </Flex>
      )}
    </AgentCard>
  );
}

interface FreezeButtonProps {
  readonly vm: string;
  readonly command: 'guest-fsfreeze-freeze' | 'guest-fsfreeze-thaw';
  readonly label: string;
  readonly onDone: () => void;
}

const says = {
  'guest-fsfreeze-freeze':
    'Every program in the guest that writes will wait until the file systems are thawed. For a consistent snapshot; thaw soon.',
  'guest-fsfreeze-thaw': 'Lets the guest write again.',
};

function FreezeButton({ vm, command, label, onDone }: FreezeButtonProps) {
  const session = useGateway();
  const may = useMayRun(vm, command, { agent: true });
  const [isAsking, setAsking] = useState(false);
  const run = async (): Promise<void> => {
    setAsking(false);
    await runAgentCommand(session, vm, command, `${label} file systems of ${vm}`);
    onDone();
  };
  return (
    <>
      <ActionButton
        variant="secondary"
        size="sm"
        does={says[command]}
        whyNot={may.allowed === false ? may.reason : undefined}
        onClick={() => (command === 'guest-fsfreeze-thaw' ? void run() : setAsking(true))}
      >
        {label}
      </ActionButton>
      <Modal variant="small" isOpen={isAsking} onClose={() => setAsking(false)} aria-labelledby="freeze-title">
        <ModalHeader title={`Freeze the file systems of ${vm}?`} labelId="freeze-title" />
        <ModalBody>{says[command]}</ModalBody>
        <ModalFooter>
          <Button variant="primary" onClick={() => void run()}>
            Freeze
          </Button>
          <Button variant="link" onClick={() => setAsking(false)}>
            Do not
          </Button>
        </ModalFooter>
      </Modal>
    </>
  );
}
