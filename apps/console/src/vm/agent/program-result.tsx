import { Alert, Button, CodeBlock, CodeBlockAction, CodeBlockCode, Flex, Label, Title } from '@patternfly/react-core';
import { bytesText } from '../../units/quantities.js';
import { keptBytes, textOf, type OutputStream } from './program-output.js';
import type { ProgramRunner } from './program-runner.js';
import { saveFile } from '../../app/save-file.js';

/** What became of a program: how it ended, and what it wrote. */
export function ProgramResult({ vm, runner }: { readonly vm: string; readonly runner: ProgramRunner }) {
  const { phase, state, why } = runner;
  if (phase === 'idle') return null;
  return (
    <section aria-label="Result" aria-live="polite">
      <Flex direction={{ default: 'column' }} gap={{ default: 'gapMd' }}>
        <Ending runner={runner} />
        {why === '' ? null : <Alert component="p" isInline variant="danger" title={why} />}
        {state.problem === undefined ? null : (
          <Alert component="p" isInline variant="warning" title="It is not known how the program ended">
            {state.problem.detail ?? state.problem.title}
          </Alert>
        )}
        {state.cutBytes > 0 ? (
          <Alert
            component="p"
            isInline
            variant="warning"
            title={`${bytesText(state.cutBytes)} more are not shown: this page keeps ${bytesText(keptBytes)}`}
          />
        ) : null}
        <Output vm={vm} runner={runner} stream="stdout" />
        <Output vm={vm} runner={runner} stream="stderr" />
      </Flex>
    </section>
  );
}

function Ending({ runner: { phase, state } }: { readonly runner: ProgramRunner }) {
  const { exit, pid, runningSeconds } = state;
  const process = pid === undefined ? '' : ` as process ${pid}`;
  if (exit !== undefined) {
    const isWell = exit.exitCode === 0;
    const words = exit.exitCode === null ? `Ended by signal ${exit.signal ?? 'unknown'}` : `Exit code ${exit.exitCode}`;
    return (
      <Flex gap={{ default: 'gapSm' }}>
        <Label status={isWell ? 'success' : 'danger'} variant="outline">
          {words}
        </Label>
        <span className="qg-second">
          It ran{process} and wrote {bytesText(exit.stdoutBytes)}, and {bytesText(exit.stderrBytes)} of errors
          {exit.stdoutTruncated || exit.stderrTruncated ? '; the agent kept only part of it' : ''}
        </span>
      </Flex>
    );
  }
  const words: Readonly<Record<string, string>> = {
    running: `Runs${process} for ${runningSeconds} s. The agent hands over the output when it has ended.`,
    left: `Not watched any more${process}. It goes on in the guest.`,
    failed: 'Could not be run, or not be followed to its end.',
    ended: `Ended${process}.`,
  };
  return <p>{words[phase]}</p>;
}

const titles: Readonly<Record<OutputStream, string>> = { stdout: 'Output', stderr: 'Errors' };

function Output({
  vm,
  runner,
  stream,
}: {
  readonly vm: string;
  readonly runner: ProgramRunner;
  readonly stream: OutputStream;
}) {
  const text = textOf(runner.state, stream);
  if (text === '') return null;
  return (
    <div>
      <Title headingLevel="h2" size="md">
        {titles[stream]}
      </Title>
      <CodeBlock
        className="qg-agent-code"
        actions={
          <CodeBlockAction>
            <Button variant="link" isInline size="sm" onClick={() => saveFile([text], `${vm}-${stream}.txt`)}>
              Save as a file
            </Button>
          </CodeBlockAction>
        }
      >
        <CodeBlockCode className="qg-agent-output" data-testid={`program-${stream}`}>
          {text}
        </CodeBlockCode>
      </CodeBlock>
    </div>
  );
}
