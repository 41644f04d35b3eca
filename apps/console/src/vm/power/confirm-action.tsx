import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import type { ReactNode } from 'react';
import type { PowerAction } from './power-actions.js';

interface ConfirmActionProps {
  readonly action: PowerAction;
  /** What it is done to: the id of a VM, or a number of VMs. */
  readonly what: string;
  readonly children?: ReactNode;
  readonly onConfirm: () => void;
  readonly onCancel: () => void;
}

/** Says what will happen before it does. */
export function ConfirmAction({ action, what, children, onConfirm, onCancel }: ConfirmActionProps) {
  const { title, does, isDangerous = false } = action;
  return (
    <Modal isOpen variant="small" onClose={onCancel} aria-labelledby="confirm-title" aria-describedby="confirm-text">
      <ModalHeader
        title={`${title} ${what}?`}
        labelId="confirm-title"
        {...(isDangerous ? { titleIconVariant: 'warning' as const } : {})}
      />
      <ModalBody id="confirm-text">
        {does}
        {children}
      </ModalBody>
      <ModalFooter>
        <Button variant={isDangerous ? 'danger' : 'primary'} onClick={onConfirm} autoFocus>
          {title}
        </Button>
        <Button variant="link" onClick={onCancel}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
