import { ActionList, ActionListItem, Alert, TextArea, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { useCallback, useMemo, useState } from 'react';
import { ActionButton } from '../../access/action-button.js';
import { useGateway } from '../../api/use-gateway.js';
import type { CommandOutcome } from '../../commands/run-command.js';
import { useRunCommand } from '../../commands/use-run-command.js';
import { ArgumentsForm, type ArgumentsFormProps } from '../../forms/arguments-form.js';
import type { CommandForm } from '../../forms/command-form.js';
import { edited, type Edit, type FieldPath } from '../../forms/edits.js';
import { CommandAnswer, type ShownAnswer } from './command-answer.js';
import { CommandHistory } from './command-history.js';
import { CommandLines } from './command-lines-view.js';
import { asArguments, draftOf, notesOf, switched, draftedArguments, type Draft } from './draft.js';
import { askDryRun } from './dry-run.js';
import { useDecision } from './use-decision.js';

export interface CommandRunnerProps extends Pick<ArgumentsFormProps, 'suggestions' | 'properties'> {
  readonly vm: string;
  readonly form: CommandForm;
  /** Text of arguments to begin with. */
  readonly initial: string | undefined;
  /** Why the caller cannot run it, whatever its arguments. */
  readonly whyNot: string | undefined;
  /** The command starts work that goes on after its reply. */
  readonly follow?: boolean;
  readonly onOutcome?: (outcome: CommandOutcome) => void;
  readonly onDraft?: (draft: Draft) => void;
}

/** The form of a command with what can be done with it: run, dry run, the same for a terminal. */
export function CommandRunner(props: CommandRunnerProps) {
  const { vm, form, initial, whyNot, suggestions, properties, onDraft } = props;
  const [draft, setDraft] = useState(() => draftOf(form, initial));
  const [wasTried, setTried] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<ShownAnswer>();
  const change = useCallback(
    (next: Draft) => {
      setDraft(next);
      setAnswer((shown) => (shown?.kind === 'outcome' && shown.outcome.kind === 'done' ? shown : undefined));
      onDraft?.(next);
    },
    [onDraft],
  );
  const { text, faults } = useMemo(() => draftedArguments(form, draft), [form, draft]);
  const notes = useMemo(() => notesOf(faults, faultsIn(answer), wasTried), [faults, answer, wasTried]);
  const decision = useDecision(vm, form.command, faults.length === 0 ? { text } : undefined);
  const refusal = whyNot ?? (decision?.allowed === false ? decision.reason : undefined);
  const send = useSend(props, setAnswer);
  const act = (isDry: boolean): void => {
    setTried(true);
    if (faults.length > 0 || isBusy || refusal !== undefined) return;
    setBusy(true);
    void send(text, isDry).finally(() => setBusy(false));
  };
  const onEdit = useCallback(
    (path: FieldPath, edit: Edit) => {
      if (draft.kind === 'form') change({ kind: 'form', state: edited(form, draft.state, path, edit) });
    },
    [form, draft, change],
  );
  return (
    <div className="qg-fields">
      <DraftKind draft={draft} form={form} onChange={change} />
      {draft.kind === 'form' ? (
        <ArgumentsForm
          {...{ form, notes, onEdit, suggestions, properties }}
          state={draft.state}
          // A key that is pressed by habit changes nothing.
          onSubmit={() => act(true)}
        />
      ) : (
        <TextArguments text={draft.text} onChange={(written) => change({ kind: 'text', text: written })} />
      )}
      {wasTried && faults.length > 0 ? <FaultList faults={faults} /> : null}
      <RunButtons command={form.command.name} whyNot={refusal} isBusy={isBusy} onAct={act} />
      {answer === undefined ? null : <CommandAnswer vm={vm} command={form.command.name} answer={answer} />}
      {faults.length === 0 ? <CommandLines vm={vm} command={form.command.name} text={text} /> : null}
    </div>
  );
}

function RunButtons({
  command,
  whyNot,
  isBusy,
  onAct,
}: {
  readonly command: string;
  readonly whyNot: string | undefined;
  readonly isBusy: boolean;
  readonly onAct: (isDry: boolean) => void;
}) {
  return (
    <ActionList>
      <ActionListItem>
        <ActionButton whyNot={whyNot} onClick={() => onAct(false)} isLoading={isBusy}>
          Run {command}
        </ActionButton>
      </ActionListItem>
      <ActionListItem>
        <ActionButton variant="secondary" whyNot={whyNot} onClick={() => onAct(true)}>
          Dry run
        </ActionButton>
      </ActionListItem>
    </ActionList>
  );
}

function TextArguments({ text, onChange }: { readonly text: string; readonly onChange: (text: string) => void }) {
  return (
    <TextArea
      value={text}
      onChange={(_, value) => onChange(value)}
      aria-label="Arguments as JSON"
      className="qg-mono"
      placeholder="{}"
      resizeOrientation="vertical"
      autoResize
      rows={6}
      spellCheck={false}
    />
  );
}

/** Runs the command, or asks what it would send, and shows what came of it. */
function useSend({ vm, form, follow, onOutcome }: CommandRunnerProps, show: (answer: ShownAnswer) => void) {
  const session = useGateway();
  const run = useRunCommand(vm);
  const { name } = form.command;
  return async (text: string | undefined, isDry: boolean): Promise<void> => {
    if (isDry) {
      show(await askDryRun(session.client.vm(vm), name, text));
      return;
    }
    const outcome = await run(name, asArguments(text), follow === undefined ? {} : { follow });
    const past = { at: new Date().toISOString(), vm, command: name, outcome: outcome.kind };
    new CommandHistory(session.memory).add(text === undefined ? past : { ...past, arguments: text });
    show({ kind: 'outcome', outcome });
    onOutcome?.(outcome);
  };
}

function faultsIn(answer: ShownAnswer | undefined) {
  if (answer?.kind === 'not-dry') return answer.problem?.errors ?? [];
  if (answer?.kind !== 'outcome' || answer.outcome.kind === 'done') return [];
  return answer.outcome.problem?.errors ?? [];
}

/** The arguments in fields, or as text. */
function DraftKind({
  draft,
  form,
  onChange,
}: {
  readonly draft: Draft;
  readonly form: CommandForm;
  readonly onChange: (draft: Draft) => void;
}) {
  const other = switched(form, draft);
  const change = (): void => {
    if (other !== undefined) onChange(other);
  };
  if (form.root.members.length === 0 && !form.open && draft.kind === 'form')
    return <div className="qg-subtle">It takes no arguments.</div>;
  return (
    <ToggleGroup aria-label="Arguments as" isCompact>
      <ToggleGroupItem
        text="Form"
        isSelected={draft.kind === 'form'}
        isDisabled={draft.kind === 'text' && other === undefined}
        onChange={() => draft.kind === 'text' && change()}
      />
      <ToggleGroupItem
        text="JSON"
        isSelected={draft.kind === 'text'}
        onChange={() => draft.kind === 'form' && change()}
      />
    </ToggleGroup>
  );
}

/** Faults that are listed; the rest are at their fields. */
const mostListed = 8;

function FaultList({ faults }: { readonly faults: readonly { readonly pointer: string; readonly message: string }[] }) {
  return (
    <Alert component="p" isInline variant="danger" title="Not sent: some fields are not filled in as they should be">
      <ul>
        {faults.slice(0, mostListed).map(({ pointer, message }) => (
          <li key={`${pointer} ${message}`}>
            <span className="qg-mono">{pointer === '' ? 'arguments' : pointer}</span>: {message}
          </li>
        ))}
      </ul>
      {faults.length > mostListed ? `And ${faults.length - mostListed} more.` : null}
    </Alert>
  );
}
