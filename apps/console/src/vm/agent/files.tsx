import {
  Alert,
  Button,
  Card,
  CardBody,
  CardTitle,
  FileUpload,
  Form,
  FormGroup,
  Grid,
  GridItem,
  TextInput,
} from '@patternfly/react-core';
import type { WrittenFile } from '@qmp-gateway/client';
import { useEffect, useRef, useState, type SyntheticEvent, type ReactNode } from 'react';
import { ActionButton } from '../../access/action-button.js';
import { useMayRun } from '../../access/use-may-run.js';
import { useVmClient } from '../../api/use-gateway.js';
import { bytesText } from '../../units/quantities.js';
import { readWholeFile, type ReadFile } from './file-reading.js';
import { FileShown } from './file-shown.js';
import { agentProblemWords } from './agent-problem-words.js';

/** Reads files of the guest and writes them. */
export function Files({ vm }: { readonly vm: string }) {
  const may = useMayRun(vm, 'guest-file-open', { agent: true });
  return (
    <Grid hasGutter>
      <GridItem xl={6}>
        <ReadCard vm={vm} refusal={may.allowed === false ? may.reason : undefined} />
      </GridItem>
      <GridItem xl={6}>
        <WriteCard vm={vm} refusal={may.allowed === false ? may.reason : undefined} />
      </GridItem>
    </Grid>
  );
}

interface CardProps {
  readonly vm: string;
  /** Why the caller may not; undefined where it may. */
  readonly refusal: string | undefined;
}

type Transfer =
  | { readonly kind: 'idle' }
  | { readonly kind: 'going'; readonly bytes: number }
  | { readonly kind: 'failed'; readonly why: string };

/** Ends what goes on when the view is left. */
function useStop(): { readonly begin: () => AbortSignal; readonly stop: () => void } {
  const current = useRef<AbortController>(undefined);
  useEffect(() => () => current.current?.abort(), []);
  return {
    begin: () => {
      current.current?.abort();
      current.current = new AbortController();
      return current.current.signal;
    },
    stop: () => current.current?.abort(),
  };
}

function ReadCard({ vm, refusal }: CardProps) {
  const { agent } = useVmClient(vm);
  const { begin, stop } = useStop();
  const [path, setPath] = useState('');
  const [transfer, setTransfer] = useState<Transfer>({ kind: 'idle' });
  const [file, setFile] = useState<ReadFile>();
  const read = async (): Promise<void> => {
    const signal = begin();
    setFile(undefined);
    setTransfer({ kind: 'going', bytes: 0 });
    try {
      const progress = (bytes: number): void => setTransfer({ kind: 'going', bytes });
      setFile(await readWholeFile(path, agent.readFile(path, { signal }), progress));
      setTransfer({ kind: 'idle' });
    } catch (error) {
      setTransfer(signal.aborted ? { kind: 'idle' } : { kind: 'failed', why: agentProblemWords(error) });
    }
  };
  return (
    <Card isCompact isFullHeight>
      <CardTitle component="h2">Read a file</CardTitle>
      <CardBody>
        <PathForm id="agent-read" label="Path in the guest" path={path} onPath={setPath} onSubmit={() => void read()}>
          <SubmitButton label="Read" isGoing={transfer.kind === 'going'} refusal={refusal} isReady={path !== ''} />
          {transfer.kind === 'going' ? (
            <Button variant="link" onClick={stop}>
              Stop ({bytesText(transfer.bytes)} read)
            </Button>
          ) : null}
        </PathForm>
        {transfer.kind === 'failed' ? (
          <Alert component="p" isInline variant="danger" title={transfer.why} className="qg-agent-file" />
        ) : null}
        {file === undefined ? null : <FileShown file={file} />}
      </CardBody>
    </Card>
  );
}

function WriteCard({ vm, refusal }: CardProps) {
  const { agent } = useVmClient(vm);
  const { begin, stop } = useStop();
  const [path, setPath] = useState('');
  const [file, setFile] = useState<File>();
  const [transfer, setTransfer] = useState<Transfer>({ kind: 'idle' });
  const [written, setWritten] = useState<WrittenFile>();
  const write = async (): Promise<void> => {
    if (file === undefined) return;
    const signal = begin();
    setWritten(undefined);
    setTransfer({ kind: 'going', bytes: file.size });
    try {
      setWritten(await agent.writeFile(path, file, { signal }));
      setTransfer({ kind: 'idle' });
    } catch (error) {
      setTransfer(signal.aborted ? { kind: 'idle' } : { kind: 'failed', why: agentProblemWords(error) });
    }
  };
  return (
    <Card isCompact isFullHeight>
      <CardTitle component="h2">Write a file</CardTitle>
      <CardBody>
        <PathForm id="agent-write" label="Path in the guest" path={path} onPath={setPath} onSubmit={() => void write()}>
          <FileUpload
            id="agent-write-file"
            value={file ?? ''}
            filename={file?.name ?? ''}
            filenamePlaceholder="A file of this computer"
            browseButtonText="Choose"
            hideDefaultPreview
            onFileInputChange={(_, chosen) => setFile(chosen)}
            onClearClick={() => setFile(undefined)}
          />
          <SubmitButton
            label="Write"
            isGoing={transfer.kind === 'going'}
            refusal={refusal}
            isReady={path !== '' && file !== undefined}
          />
          {transfer.kind === 'going' ? (
            <Button variant="link" onClick={stop}>
              Stop (what was written stays)
            </Button>
          ) : null}
        </PathForm>
        {transfer.kind === 'failed' ? (
          <Alert component="p" isInline variant="danger" title={transfer.why} className="qg-agent-file" />
        ) : null}
        {written === undefined ? null : <Written {...written} />}
      </CardBody>
    </Card>
  );
}

function Written({ path, size, sha256, verified }: WrittenFile) {
  return (
    <Alert
      component="p"
      isInline
      variant="success"
      title={`${bytesText(size)} written, ${verified ? 'read back and the same' : 'not read back'}`}
      className="qg-agent-file"
    >
      <p className="qg-wrapped qg-mono">{path}</p>
      <p className="qg-wrapped">
        SHA-256 <span className="qg-mono">{sha256}</span>
      </p>
    </Alert>
  );
}

interface PathFormProps {
  readonly id: string;
  readonly label: string;
  readonly path: string;
  readonly onPath: (path: string) => void;
  readonly onSubmit: () => void;
  readonly children: ReactNode;
}

function PathForm({ id, label, path, onPath, onSubmit, children }: PathFormProps) {
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Form onSubmit={submit}>
      <FormGroup label={label} fieldId={id} isRequired>
        <TextInput
          id={id}
          value={path}
          onChange={(_, text) => onPath(text)}
          placeholder="/etc/hostname"
          className="qg-mono"
          autoComplete="off"
          spellCheck={false}
        />
      </FormGroup>
      {children}
    </Form>
  );
}

interface SubmitButtonProps {
  readonly label: string;
  readonly isGoing: boolean;
  readonly isReady: boolean;
  readonly refusal: string | undefined;
}

function SubmitButton({ label, isGoing, isReady, refusal }: SubmitButtonProps) {
  const whyNot = refusal ?? (isGoing ? 'It is going on.' : isReady ? undefined : 'Something is not filled in.');
  return (
    <ActionButton type="submit" variant="secondary" isLoading={isGoing} whyNot={whyNot} className="qg-agent-submit">
      {label}
    </ActionButton>
  );
}
