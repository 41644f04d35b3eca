import { Button, Form, FormGroup, Modal, ModalBody, ModalFooter, ModalHeader, TextArea } from '@patternfly/react-core';
import { useState } from 'react';
import { useRunCommand } from '../../commands/use-run-command.js';
import { compactJson } from '../../forms/json-text.js';
import { asArguments } from '../commands/draft.js';
import type { ReadValue } from './property-values.js';

/** Asks for the new value of a property and sets it. */
export function SetProperty({
  vm,
  path,
  name,
  value,
  onClose,
  onSet,
}: {
  readonly vm: string;
  readonly path: string;
  readonly name: string;
  readonly value: ReadValue | undefined;
  readonly onClose: () => void;
  readonly onSet: () => void;
}) {
  const run = useRunCommand(vm);
  const [text, setText] = useState(value !== undefined && 'text' in value ? value.text : '');
  const json = compactJson(text);
  const set = async (): Promise<void> => {
    const args = `{"path":${JSON.stringify(path)},"property":${JSON.stringify(name)},"value":${json ?? 'null'}}`;
    onClose();
    const { kind } = await run('qom-set', asArguments(args), { title: `Set ${name} of ${path}` });
    if (kind === 'done') onSet();
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="set-property">
      <ModalHeader title={`Set ${name}`} labelId="set-property" description={path} />
      <ModalBody>
        <Form>
          <FormGroup label="Value, as JSON" fieldId="property-value">
            <TextArea
              id="property-value"
              className="qg-mono"
              value={text}
              onChange={(_, next) => setText(next)}
              validated={text !== '' && json === undefined ? 'error' : 'default'}
              spellCheck={false}
              rows={3}
            />
          </FormGroup>
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button onClick={() => void set()} isDisabled={json === undefined}>
          Set
        </Button>
        <Button variant="link" onClick={onClose}>
          Leave it
        </Button>
      </ModalFooter>
    </Modal>
  );
}
