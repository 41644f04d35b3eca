import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useState } from 'react';
import { ActionButton } from '../../access/action-button.js';
import { useMayRun } from '../../access/use-may-run.js';
import { useRunCommand } from '../../commands/use-run-command.js';

/** Asks the guest to let a device go. What becomes of that is told by the notice, which follows the operation. */
export function UnplugButton({
  vm,
  id,
  onDone,
}: {
  readonly vm: string;
  readonly id: string;
  readonly onDone: () => void;
}) {
  const { allowed, reason } = useMayRun(vm, 'device_del');
  const run = useRunCommand(vm);
  const [isOpen, setOpen] = useState(false);
  const unplug = async (): Promise<void> => {
    setOpen(false);
    await run('device_del', { id }, { title: `Unplug ${id} from ${vm}`, follow: true });
    onDone();
  };
  return (
    <>
      <ActionButton
        variant="secondary"
        isDanger
        size="sm"
        whyNot={allowed === false ? reason : undefined}
        onClick={() => setOpen(true)}
        aria-label={`Unplug ${id}`}
      >
        Unplug
      </ActionButton>
      <Modal isOpen={isOpen} variant="small" onClose={() => setOpen(false)} aria-labelledby="unplug">
        <ModalHeader title={`Unplug ${id}?`} labelId="unplug" titleIconVariant="warning" />
        <ModalBody>
          The guest is asked to let the device go, and may take its time or refuse. What it was used for stops working:
          a disk, a network connection.
        </ModalBody>
        <ModalFooter>
          <Button variant="danger" onClick={() => void unplug()}>
            Unplug
          </Button>
          <Button variant="link" onClick={() => setOpen(false)}>
            Leave it
          </Button>
        </ModalFooter>
      </Modal>
    </>
  );
}
