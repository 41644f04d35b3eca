import { Title } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { PciRow } from './pci-rows.js';

/** The PCI bus, as `lspci` shows it. */
export function PciTable({ rows }: { readonly rows: readonly PciRow[] }) {
  return (
    <section aria-labelledby="pci-bus">
      <Title headingLevel="h2" id="pci-bus">
        PCI bus
      </Title>
      <Table variant="compact" aria-label="PCI bus">
        <Thead>
          <Tr>
            <Th>Address</Th>
            <Th>What</Th>
            <Th>Vendor and device</Th>
            <Th>Id</Th>
            <Th>IRQ</Th>
          </Tr>
        </Thead>
        <Tbody>
          {rows.map(({ address, depth, what, ids, id, irq }, index) => (
            <Tr key={`${address} ${index}`}>
              <Td dataLabel="Address" className="qg-mono">
                {depth === 0 ? address : `${'\u00a0\u00a0'.repeat(depth)}↳ ${address}`}
              </Td>
              <Td dataLabel="What" modifier="breakWord">
                {what}
              </Td>
              <Td dataLabel="Vendor and device" className="qg-mono">
                {ids}
              </Td>
              <Td dataLabel="Id" className="qg-mono" modifier="breakWord">
                {id}
              </Td>
              <Td dataLabel="IRQ">{irq}</Td>
            </Tr>
          ))}
        </Tbody>
      </Table>
    </section>
  );
}
