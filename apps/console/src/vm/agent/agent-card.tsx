import { Button, Card, CardBody, CardHeader, CardTitle, Spinner } from '@patternfly/react-core';
import type { ReactNode } from 'react';
import type { AgentAnswer } from './use-agent-answer.js';

/** A card of what the agent answered to one question, or why it did not. */
export function AgentCard({
  title,
  answer,
  children,
}: {
  readonly title: string;
  readonly answer: AgentAnswer;
  readonly children: (value: unknown) => ReactNode;
}) {
  const { kind, value, why, askAgain } = answer;
  return (
    <Card isCompact isFullHeight>
      <CardHeader
        actions={{
          hasNoOffset: true,
          actions: (
            <Button variant="link" isInline size="sm" onClick={askAgain} aria-label={`Ask again: ${title}`}>
              Ask again
            </Button>
          ),
        }}
      >
        <CardTitle component="h2">{title}</CardTitle>
      </CardHeader>
      <CardBody>
        {kind === 'asking' ? <Spinner size="md" aria-label={`Asking the agent: ${title}`} /> : null}
        {kind === 'failed' ? <p className="qg-second">{why}</p> : null}
        {kind === 'answered' ? children(value) : null}
      </CardBody>
    </Card>
  );
}
