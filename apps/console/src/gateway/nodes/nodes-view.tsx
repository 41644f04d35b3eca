import { Label } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { Node } from '@qmp-gateway/client';
import { useCallback } from 'react';
import { useAnswer } from '../../api/use-answer.js';
import { useGateway } from '../../api/use-gateway.js';
import { Asked } from '../../app/asked.js';
import { Since } from '../../app/since.js';

const everyMs = 5_000;

/** The gateways of the fleet, the one that answers first. */
export default function NodesView() {
  const { client } = useGateway();
  const answer = useAnswer(
    useCallback((signal) => client.nodes({ signal }), [client]),
    everyMs,
  );
  return (
    <Asked answer={answer} what="The fleet">
      {(nodes) => <NodeTable nodes={nodes} />}
    </Asked>
  );
}

function NodeTable({ nodes }: { readonly nodes: readonly Node[] }) {
  return (
    <Table aria-label="Nodes" variant="compact">
      <Thead>
        <Tr>
          <Th>Node</Th>
          <Th>State</Th>
          <Th>VMs</Th>
          <Th>Version</Th>
          <Th>Heard</Th>
        </Tr>
      </Thead>
      <Tbody>
        {nodes.map(({ node, state, vms, version, heard }) => (
          <Tr key={node}>
            <Td dataLabel="Node">{node}</Td>
            <Td dataLabel="State">
              <Label variant="outline" status={state === 'reachable' ? 'success' : 'danger'}>
                {state === 'reachable' ? 'Reachable' : 'Unreachable'}
              </Label>
            </Td>
            <Td dataLabel="VMs">{vms.toLocaleString()}</Td>
            <Td dataLabel="Version">{version}</Td>
            <Td dataLabel="Heard">
              <Since at={heard} />
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
