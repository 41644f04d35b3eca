import {
  Alert,
  Button,
  Card,
  CardBody,
  CardTitle,
  Stack,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from '@patternfly/react-core';
import type { NewToken } from '@qmp-gateway/client';
import { useCallback, useState } from 'react';
import { useAnswer } from '../../api/use-answer.js';
import { useGateway } from '../../api/use-gateway.js';
import { Asked } from '../../app/asked.js';
import { Facts } from '../../vm/overview/facts.js';
import { NewTokenForm } from './new-token-form.js';
import { ShownToken } from './shown-token.js';
import { TokenTable } from './token-table.js';

/** What the reader may do, and the tokens that say what others may. */
export default function TokensView() {
  const { client, grant } = useGateway();
  const answer = useAnswer(useCallback((signal) => client.tokens({ signal }), [client]));
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<NewToken>();
  return (
    <Stack hasGutter>
      <Card component="section" aria-label="Your access">
        <CardTitle component="h2">Your access</CardTitle>
        <CardBody>
          <Facts
            facts={[
              ['Principal', grant.principal],
              ['Level', `${grant.level}: ${meanings[grant.level]}`],
              ['VMs', grant.vms.join(', ')],
              ['Only commands', grant.commands.allow.includes('*') ? undefined : grant.commands.allow.join(', ')],
              ['No commands', grant.commands.deny.join(', ')],
            ]}
          />
        </CardBody>
      </Card>
      {made === undefined ? null : <ShownToken token={made} onClose={() => setMade(undefined)} />}
      <Toolbar aria-label="Tokens">
        <ToolbarContent>
          <ToolbarItem>
            <Button onClick={() => setMaking(true)}>Make a token</Button>
          </ToolbarItem>
          {grant.level === 'host' ? null : (
            <ToolbarItem alignSelf="center">
              <Alert component="h2" isInline isPlain variant="info" title="You see your own token and those you made" />
            </ToolbarItem>
          )}
        </ToolbarContent>
      </Toolbar>
      <Asked answer={answer} what="The list of tokens">
        {(tokens) => <TokenTable tokens={tokens} onRevoked={answer.again} />}
      </Asked>
      {isMaking ? (
        <NewTokenForm
          onClose={() => setMaking(false)}
          onMade={(token) => {
            setMaking(false);
            setMade(token);
            answer.again();
          }}
        />
      ) : null}
    </Stack>
  );
}

const meanings = {
  read: 'look at VMs, change nothing',
  operate: 'change what runs, nothing on the host',
  configure: 'devices, disks and migration too',
  host: 'everything, files and programs of the host included',
} as const;
