import {
  Button,
  HelperText,
  HelperTextItem,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextArea,
} from '@patternfly/react-core';
import { useState } from 'react';
import { ActionButton } from '../../access/action-button.js';
import { useGateway } from '../../api/use-gateway.js';

/** Types a text on the VM's keyboard: a guest without a clipboard takes it as well. */
export function PasteText({ vm, whyNot }: { readonly vm: string; readonly whyNot: string | undefined }) {
  const { client, outcomes } = useGateway();
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState('');
  const type = async (): Promise<void> => {
    setOpen(false);
    const title = `Type ${text.length} characters into ${vm}`;
    const notice = outcomes.add({ kind: 'pending', title });
    setText('');
    try {
      await client.vm(vm).type(text);
      outcomes.change(notice, { kind: 'done', title });
    } catch (error) {
      const { outcome = 'unknown' } = error as { outcome?: 'refused' | 'not-sent' | 'unknown' };
      outcomes.change(notice, { kind: outcome, title, detail: error instanceof Error ? error.message : String(error) });
    }
  };
  return (
    <>
      <ActionButton
        variant="secondary"
        onClick={() => setOpen(true)}
        whyNot={whyNot}
        does="Types a text on the VM's keyboard."
      >
        Paste text
      </ActionButton>
      <Modal isOpen={isOpen} variant="small" onClose={() => setOpen(false)} aria-labelledby="paste-title">
        <ModalHeader title="Paste text" labelId="paste-title" description="It is typed key by key." />
        <ModalBody>
          <TextArea
            aria-label="Text to type"
            value={text}
            onChange={(_, value) => setText(value)}
            rows={6}
            autoFocus
            className="qg-mono"
          />
          <HelperText>
            <HelperTextItem>
              For a guest with a US keyboard layout: others read some characters as different ones.
            </HelperTextItem>
          </HelperText>
        </ModalBody>
        <ModalFooter>
          <Button onClick={() => void type()} isDisabled={text === ''}>
            Type it
          </Button>
          <Button variant="link" onClick={() => setOpen(false)}>
            Cancel
          </Button>
        </ModalFooter>
      </Modal>
    </>
  );
}
