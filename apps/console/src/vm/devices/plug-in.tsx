import { Card, CardBody, CardTitle } from '@patternfly/react-core';
import type { VmSchema } from '@qmp-gateway/client';
import { useCallback, useMemo, useState } from 'react';
import { useAnswer } from '../../api/use-answer.js';
import { useGateway } from '../../api/use-gateway.js';
import { formOf } from '../../forms/command-form.js';
import type { KnownProperty } from '../../forms/form-context.js';
import { CommandRunner } from '../commands/command-runner.js';
import type { Draft } from '../commands/draft.js';
import { whyNotOffered } from '../commands/offered-command.js';
import { askDeviceTypes, askProperties } from './ask-devices.js';
import '../commands/commands.css';

const noProperties: readonly KnownProperty[] = [];

/** The form of `device_add`, with the types and properties that this VM has. */
export function PlugIn({
  vm,
  schema,
  onDone,
}: {
  readonly vm: string;
  readonly schema: VmSchema;
  readonly onDone: () => void;
}) {
  const { client, grant } = useGateway();
  const form = useMemo(() => formOf(schema, 'device_add'), [schema]);
  const [driver, setDriver] = useState<string>();
  const askTypes = useCallback((signal: AbortSignal) => askDeviceTypes(client.vm(vm), signal), [client, vm]);
  const types = useAnswer(askTypes).value;
  const isType = driver !== undefined && types?.includes(driver) === true;
  const askOfType = useCallback(
    async (signal: AbortSignal) => (isType ? askProperties(client.vm(vm), driver, signal) : noProperties),
    [client, vm, isType, driver],
  );
  const properties = useAnswer(askOfType).value;
  const suggestions = useMemo(() => new Map([['/driver', types ?? []]]), [types]);
  const follow = useCallback((draft: Draft) => setDriver(driverIn(draft)), []);
  if (form === undefined) return null;
  return (
    <Card>
      <CardTitle component="h2">Plug in a device</CardTitle>
      <CardBody>
        <CommandRunner
          vm={vm}
          form={form}
          initial={undefined}
          whyNot={whyNotOffered(form.command, grant)}
          suggestions={suggestions}
          properties={properties ?? noProperties}
          onDraft={follow}
          onOutcome={({ kind }) => {
            if (kind === 'done') onDone();
          }}
        />
      </CardBody>
    </Card>
  );
}

function driverIn(draft: Draft): string | undefined {
  const state = draft.kind === 'form' ? draft.state.members.get('driver') : undefined;
  return state?.kind === 'written' ? state.text : undefined;
}
