import {
  Button,
  Flex,
  Form,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  TextArea,
  TextInput,
  ToggleGroup,
  ToggleGroupItem,
} from '@patternfly/react-core';
import { useEffect, useMemo, useState, useSyncExternalStore, type SyntheticEvent } from 'react';
import { ActionButton } from '../../access/action-button.js';
import { useMayRun } from '../../access/use-may-run.js';
import { useVmClient } from '../../api/use-gateway.js';
import { faultOf, programOf, type ProgramForm } from './guest-program.js';
import { ProgramResult } from './program-result.js';
import { ProgramRunner } from './program-runner.js';

const empty: ProgramForm = { mode: 'shell', line: '', path: '', args: '', input: '' };

/** Runs programs in the guest. */
export function Programs({ vm, osId }: { readonly vm: string; readonly osId: string | undefined }) {
  const client = useVmClient(vm);
  const runner = useMemo(() => new ProgramRunner(client.agent), [vm]);
  useEffect(() => () => runner.leave(), [runner]);
  useSyncExternalStore(
    runner.changed.subscribe,
    () => `${runner.phase} ${runner.state.parts.length} ${runner.state.runningSeconds}`,
  );
  const [form, setForm] = useState(empty);
  const may = useMayRun(vm, 'guest-exec', { agent: true });
  const fault = faultOf(form);
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (fault === undefined && may.allowed !== false) void runner.run(programOf(form, osId));
  };
  return (
    <Flex direction={{ default: 'column' }} gap={{ default: 'gapLg' }}>
      <Form onSubmit={submit} className="qg-agent-form">
        <Fields form={form} change={(part) => setForm({ ...form, ...part })} />
        <Flex gap={{ default: 'gapSm' }}>
          <ActionButton
            type="submit"
            variant="primary"
            does="Runs it in the guest, as the user of the agent, which mostly is root."
            whyNot={may.allowed === false ? may.reason : runner.phase === 'running' ? 'One is running.' : fault}
            isLoading={runner.phase === 'running'}
          >
            Run in the guest
          </ActionButton>
          {runner.phase === 'running' ? (
            <Button variant="link" onClick={() => runner.leave()}>
              Watch no more (the program goes on)
            </Button>
          ) : null}
        </Flex>
      </Form>
      <ProgramResult vm={vm} runner={runner} />
    </Flex>
  );
}

interface FieldsProps {
  readonly form: ProgramForm;
  readonly change: (part: Partial<ProgramForm>) => void;
}

function Fields({ form, change }: FieldsProps) {
  return (
    <>
      <ToggleGroup aria-label="What to run">
        <ToggleGroupItem
          text="Command line"
          buttonId="agent-shell"
          isSelected={form.mode === 'shell'}
          onChange={() => change({ mode: 'shell' })}
        />
        <ToggleGroupItem
          text="Program with arguments"
          buttonId="agent-program"
          isSelected={form.mode === 'program'}
          onChange={() => change({ mode: 'program' })}
        />
      </ToggleGroup>
      {form.mode === 'shell' ? (
        <FormGroup label="Command line" fieldId="agent-line" isRequired>
          <TextInput
            id="agent-line"
            value={form.line}
            onChange={(_, line) => change({ line })}
            placeholder="uname -a; df -h"
            className="qg-mono"
            autoComplete="off"
            spellCheck={false}
          />
          <Hint>Run by the shell of the guest.</Hint>
        </FormGroup>
      ) : (
        <ProgramFields form={form} change={change} />
      )}
      <FormGroup label="Input" fieldId="agent-input">
        <TextArea
          id="agent-input"
          value={form.input}
          onChange={(_, input) => change({ input })}
          rows={2}
          resizeOrientation="vertical"
          className="qg-mono"
        />
      </FormGroup>
    </>
  );
}

function ProgramFields({ form, change }: FieldsProps) {
  return (
    <>
      <FormGroup label="Path of the program" fieldId="agent-path" isRequired>
        <TextInput
          id="agent-path"
          value={form.path}
          onChange={(_, path) => change({ path })}
          placeholder="/usr/bin/systemctl"
          className="qg-mono"
          autoComplete="off"
          spellCheck={false}
        />
      </FormGroup>
      <FormGroup label="Arguments" fieldId="agent-args">
        <TextArea
          id="agent-args"
          value={form.args}
          onChange={(_, args) => change({ args })}
          rows={4}
          resizeOrientation="vertical"
          className="qg-mono"
        />
        <Hint>One in each line, as it is; nothing is quoted.</Hint>
      </FormGroup>
    </>
  );
}

function Hint({ children }: { readonly children: string }) {
  return (
    <FormHelperText>
      <HelperText>
        <HelperTextItem>{children}</HelperTextItem>
      </HelperText>
    </FormHelperText>
  );
}
