import { Alert, CodeBlock, CodeBlockCode } from '@patternfly/react-core';
import type { Level, ProblemDocument } from '@qmp-gateway/client';
import { Link } from 'react-router';
import { sentenceOf, type CommandOutcome } from '../../commands/run-command.js';
import { AnswerTree } from './answer-tree.js';

/** What came of a run, or of a dry one. */
export type ShownAnswer =
  | { readonly kind: 'outcome'; readonly outcome: CommandOutcome }
  | { readonly kind: 'dry'; readonly message: string; readonly commandClass: Level }
  | { readonly kind: 'not-dry'; readonly why: string; readonly problem: ProblemDocument | undefined };

export function CommandAnswer({
  vm,
  command,
  answer,
}: {
  readonly vm: string;
  readonly command: string;
  readonly answer: ShownAnswer;
}) {
  if (answer.kind === 'outcome') return <OutcomeView vm={vm} command={command} outcome={answer.outcome} />;
  if (answer.kind === 'not-dry')
    return (
      <Alert component="p" isInline variant="danger" title="It would not be sent">
        <span className="qg-wrapped">{answer.why}</span>
      </Alert>
    );
  return (
    <Alert
      component="p"
      isInline
      variant="info"
      title={`Nothing was sent. This would be, as a command of class ${answer.commandClass}:`}
    >
      <CodeBlock>
        <CodeBlockCode className="qg-wrapped">{answer.message}</CodeBlockCode>
      </CodeBlock>
    </Alert>
  );
}

function OutcomeView({
  vm,
  command,
  outcome,
}: {
  readonly vm: string;
  readonly command: string;
  readonly outcome: CommandOutcome;
}) {
  if (outcome.kind === 'done')
    return isEmpty(outcome.value) ? (
      <Alert component="p" isInline variant="success" title={`${command}: done`}>
        It returned nothing.
      </Alert>
    ) : (
      <AnswerTree value={outcome.value} name={command} />
    );
  if (outcome.kind === 'unknown')
    return (
      <Alert component="p" isInline variant="warning" title={`${command}: nobody knows yet what became of it`}>
        <p className="qg-wrapped">{outcome.why}</p>
        <Link to={`/vms/${encodeURIComponent(vm)}/operations`}>Operations of this VM</Link>
      </Alert>
    );
  const title = outcome.kind === 'refused' ? `${command}: refused by the VM` : `${command}: not sent`;
  return (
    <Alert component="p" isInline variant={outcome.kind === 'refused' ? 'danger' : 'warning'} title={title}>
      <p className="qg-wrapped">{sentenceOf(outcome.problem)}</p>
    </Alert>
  );
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}
