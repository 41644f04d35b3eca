import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { StoredToken } from '@qmp-gateway/client';
import { useState } from 'react';
import { wordsOf } from '../../api/use-answer.js';
import { useGateway } from '../../api/use-gateway.js';
import { Time } from '../../app/time.js';

interface TokenTableProps {
  readonly tokens: readonly StoredToken[];
  readonly onRevoked: () => void;
}

/** The tokens that the reader manages. */
export function TokenTable({ tokens, onRevoked }: TokenTableProps) {
  const [asked, setAsked] = useState<StoredToken>();
  return (
    <>
      <Table aria-label="Tokens" variant="compact">
        <Thead>
          <Tr>
            <Th>Name</Th>
            <Th>Level</Th>
            <Th>VMs</Th>
            <Th>Made</Th>
            <Th>Expires</Th>
            <Th>Made by</Th>
            <Th screenReaderText="Actions" />
          </Tr>
        </Thead>
        <Tbody>
          {tokens.map((token) => (
            <Tr key={token.id}>
              <Td dataLabel="Name" modifier="breakWord">
                {token.name}
              </Td>
              <Td dataLabel="Level">{token.level}</Td>
              <Td dataLabel="VMs" modifier="breakWord">
                {token.vms.join(', ')}
              </Td>
              <Td dataLabel="Made">
                <Time at={token.created} />
              </Td>
              <Td dataLabel="Expires">{token.expires === null ? 'Never' : <Time at={token.expires} />}</Td>
              <Td dataLabel="Made by" modifier="breakWord">
                {token.owner ?? 'Command line'}
              </Td>
              <Td isActionCell>
                <Button
                  variant="link"
                  isDanger
                  size="sm"
                  onClick={() => setAsked(token)}
                  aria-label={`Revoke ${token.name}`}
                >
                  Revoke
                </Button>
              </Td>
            </Tr>
          ))}
        </Tbody>
      </Table>
      {asked === undefined ? null : (
        <RevokeToken
          token={asked}
          onClose={() => {
            setAsked(undefined);
            onRevoked();
          }}
        />
      )}
    </>
  );
}

function RevokeToken({ token, onClose }: { readonly token: StoredToken; readonly onClose: () => void }) {
  const { client, outcomes } = useGateway();
  const revoke = async (): Promise<void> => {
    const title = `Revoke the token ${token.name}`;
    try {
      await client.revokeToken(token.id);
      outcomes.add({ kind: 'done', title });
    } catch (error) {
      outcomes.add({ kind: 'refused', title, detail: wordsOf(error) });
    }
    onClose();
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="revoke-title" aria-describedby="revoke-text">
      <ModalHeader title={`Revoke ${token.name}?`} labelId="revoke-title" titleIconVariant="warning" />
      <ModalBody id="revoke-text">
        Whoever uses it is refused from now on, and streams that are open with it end. This cannot be undone.
      </ModalBody>
      <ModalFooter>
        <Button variant="danger" onClick={() => void revoke()}>
          Revoke
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
