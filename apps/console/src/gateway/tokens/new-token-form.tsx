import {
  Alert,
  Button,
  Form,
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextInput,
} from '@patternfly/react-core';
import type { Level, NewToken } from '@qmp-gateway/client';
import { useState, type SubmitEvent } from 'react';
import { wordsOf } from '../../api/use-answer.js';
import { useGateway } from '../../api/use-gateway.js';

interface NewTokenFormProps {
  readonly onMade: (token: NewToken) => void;
  readonly onClose: () => void;
}

const levels: readonly Level[] = ['read', 'operate', 'configure', 'host'];
const formId = 'new-token';

/** Makes a token, never for more than the reader may. */
export function NewTokenForm({ onMade, onClose }: NewTokenFormProps) {
  const { client, grant } = useGateway();
  const [name, setName] = useState('');
  const [level, setLevel] = useState<Level>('read');
  const [vms, setVms] = useState(grant.vms.join(', '));
  const [expires, setExpires] = useState('30d');
  const [why, setWhy] = useState<string>();
  const make = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const patterns = vms.split(',').map((each) => each.trim());
    const optional = { ...(name === '' ? {} : { name }), ...(expires === '' ? {} : { expires }) };
    try {
      onMade(await client.createToken({ level, vms: patterns.filter((each) => each !== ''), ...optional }));
    } catch (error) {
      setWhy(wordsOf(error));
    }
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="new-token-title">
      <ModalHeader title="Make a token" labelId="new-token-title" />
      <ModalBody>
        <Form id={formId} onSubmit={(event) => void make(event)}>
          {why === undefined ? null : <Alert component="h3" isInline variant="danger" title={why} />}
          <Field id="token-name" label="Name" help="For you, to know it by." value={name} onChange={setName} />
          <FormGroup label="Level" fieldId="token-level">
            <FormSelect id="token-level" value={level} onChange={(_, value) => setLevel(value as Level)}>
              {levels.slice(0, levels.indexOf(grant.level) + 1).map((each) => (
                <FormSelectOption key={each} value={each} label={each} />
              ))}
            </FormSelect>
          </FormGroup>
          <Field
            id="token-vms"
            label="VMs"
            help="Ids, globs such as web-*, or label:key=value; separated by commas."
            value={vms}
            onChange={setVms}
          />
          <Field
            id="token-expires"
            label="Expires after"
            help="30d, 12h or 15m; empty: as long as your own."
            value={expires}
            onChange={setExpires}
          />
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form={formId}>
          Make it
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly help: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Field({ id, label, help, value, onChange }: FieldProps) {
  return (
    <FormGroup label={label} fieldId={id}>
      <TextInput id={id} value={value} onChange={(_, next) => onChange(next)} aria-describedby={`${id}-help`} />
      <FormHelperText>
        <HelperText id={`${id}-help`}>
          <HelperTextItem>{help}</HelperTextItem>
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}
