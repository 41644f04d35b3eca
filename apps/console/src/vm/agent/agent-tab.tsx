import { Alert, EmptyState, EmptyStateBody, Label, Flex, Tab, Tabs, TabTitleText } from '@patternfly/react-core';
import type { Vm } from '@qmp-gateway/client';
import { useNavigate, useParams } from 'react-router';
import { useVm } from '../../api/use-gateway.js';
import { Time } from '../../app/time.js';
import type { VmTabProps } from '../tabs.js';
import { agentWords, noAgent } from './agent-words.js';
import './agent.css';
import { Files } from './files.js';
import { GuestInfo } from './guest-info.js';
import { Programs } from './programs.js';
import { useAgentAnswer } from './use-agent-answer.js';

const views = [
  { id: 'guest', title: 'The guest' },
  { id: 'programs', title: 'Programs' },
  { id: 'files', title: 'Files' },
];

/** The guest agent: what it says of the guest, programs and files. Where there is none, that is said. */
export default function AgentTab({ vm: id }: VmTabProps) {
  const agent = useVm(id)?.agent;
  if (agent === undefined)
    return (
      <EmptyState titleText="No guest agent" headingLevel="h2">
        <EmptyStateBody>{noAgent}</EmptyStateBody>
      </EmptyState>
    );
  return <RegisteredAgent vm={id} agent={agent} />;
}

function RegisteredAgent({ vm, agent }: { readonly vm: string; readonly agent: NonNullable<Vm['agent']> }) {
  const { title, says, answers } = agentWords(agent.state);
  const { lastError, since } = agent;
  return (
    <Flex direction={{ default: 'column' }} gap={{ default: 'gapMd' }}>
      {answers ? (
        <Flex gap={{ default: 'gapSm' }} alignItems={{ default: 'alignItemsCenter' }}>
          <Label status="success" variant="outline">
            Agent answers
          </Label>
          <span className="qg-second">
            since <Time at={since} />
          </span>
        </Flex>
      ) : (
        <Alert
          component="p"
          isInline
          variant="warning"
          title={`Guest agent: ${title.toLowerCase()}`}
          data-testid="agent-away"
        >
          <p>{says}</p>
          {lastError === null ? null : <p className="qg-wrapped">Last error: {lastError.detail ?? lastError.code}</p>}
        </Alert>
      )}
      {answers ? <AgentViews vm={vm} /> : null}
    </Flex>
  );
}

function AgentViews({ vm }: { readonly vm: string }) {
  const navigate = useNavigate();
  const inAddress = useParams()['*'];
  const view = views.find(({ id }) => id === inAddress)?.id ?? 'guest';
  const os = useAgentAnswer(vm, 'guest-get-osinfo').value as { readonly id?: string } | undefined;
  return (
    <>
      <Tabs
        activeKey={view}
        isSubtab
        aria-label="What of the agent"
        onSelect={(_, key) => void navigate(`/vms/${encodeURIComponent(vm)}/agent/${key === 'guest' ? '' : key}`)}
      >
        {views.map(({ id, title }) => (
          <Tab key={id} eventKey={id} title={<TabTitleText>{title}</TabTitleText>} tabContentId="agent-view" />
        ))}
      </Tabs>
      <section id="agent-view" aria-label={views.find(({ id }) => id === view)?.title}>
        {view === 'guest' ? <GuestInfo vm={vm} /> : null}
        {view === 'programs' ? <Programs vm={vm} osId={os?.id} /> : null}
        {view === 'files' ? <Files vm={vm} /> : null}
      </section>
    </>
  );
}
