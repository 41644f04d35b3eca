import { Checkbox } from '@patternfly/react-core';
import { Table, Tbody, Th, Thead, Tr } from '@patternfly/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import type { Vm } from '@qmp-gateway/client';
import { useCallback, useEffect, useRef } from 'react';
import { VmRow } from './vm-row.js';

interface VmTableProps {
  readonly vms: readonly Vm[];
  readonly hasScreens: boolean;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
}

/** Pixels; rows are of one height, so that any of ten thousand can be found without drawing the others. */
const rowHeight = 49;
const rowHeightWithScreen = 73;
/** Rows drawn beyond what is seen. */
const overscan = 8;

/** The rows that are seen, out of all. */
export function VmTable({ vms, hasScreens, selected, onSelect }: VmTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const height = hasScreens ? rowHeightWithScreen : rowHeight;
  const virtual = useVirtualizer({
    count: vms.length,
    getScrollElement: () => scroller.current,
    estimateSize: useCallback(() => height, [height]),
    overscan,
    getItemKey: useCallback((at: number) => vms[at]?.id ?? at, [vms]),
  });
  const items = virtual.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const hasNodes = vms.some(({ node }) => node !== undefined);
  const columns = 6 + Number(hasNodes) + Number(hasScreens);
  const allSelected = vms.length > 0 && vms.every(({ id }) => selected.has(id));
  const select = useSelect(selected, onSelect);
  return (
    <div className="qg-scroller" ref={scroller} tabIndex={0} role="region" aria-label="VMs">
      <Table aria-label="VMs" aria-rowcount={vms.length + 1} isStickyHeader variant="compact" className="qg-vms">
        <VmHead {...{ hasScreens, hasNodes }} isAll={allSelected} onAll={(isAll) => onSelect(allOf(vms, isAll))} />
        <Tbody>
          <Spacer height={before} columns={columns} />
          {items.map(({ index }) => {
            const vm = vms[index];
            if (vm === undefined) return null;
            return (
              <VmRow
                key={vm.id}
                {...{ vm, index, hasScreens, hasNodes, height }}
                isSelected={selected.has(vm.id)}
                onSelect={select}
              />
            );
          })}
          <Spacer height={after} columns={columns} />
        </Tbody>
      </Table>
    </div>
  );
}

/** Stands for the rows that are not drawn. */
function Spacer({ height, columns }: { readonly height: number; readonly columns: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true">
      <td colSpan={columns} style={{ height, padding: 0 }} />
    </tr>
  );
}

interface VmHeadProps {
  readonly hasScreens: boolean;
  readonly hasNodes: boolean;
  readonly isAll: boolean;
  readonly onAll: (isAll: boolean) => void;
}

function VmHead({ hasScreens, hasNodes, isAll, onAll }: VmHeadProps) {
  return (
    <>
      <colgroup>
        <col className="qg-col-select" />
        {hasScreens ? <col className="qg-col-screen" /> : null}
        <col className="qg-col-name" />
        <col className="qg-col-state" />
        <col className="qg-col-since" />
        {hasNodes ? <col className="qg-col-node" /> : null}
        <col className="qg-col-version" />
        <col />
      </colgroup>
      <Thead>
        <Tr>
          <Th>
            <Checkbox
              id="select-all"
              aria-label="Select all"
              isChecked={isAll}
              onChange={(_, isChecked) => onAll(isChecked)}
            />
          </Th>
          {hasScreens ? <Th>Screen</Th> : null}
          <Th>VM</Th>
          <Th>State</Th>
          <Th>Since</Th>
          {hasNodes ? <Th>Node</Th> : null}
          <Th>Version</Th>
          <Th>Labels</Th>
        </Tr>
      </Thead>
    </>
  );
}

function allOf(vms: readonly Vm[], isAll: boolean): ReadonlySet<string> {
  return new Set(isAll ? vms.map(({ id }) => id) : []);
}

/** One function for all rows as long as the table is: another would make each of them be drawn again. */
function useSelect(
  selected: ReadonlySet<string>,
  onSelect: (selected: ReadonlySet<string>) => void,
): (id: string, isSelected: boolean) => void {
  const newest = useRef({ selected, onSelect });
  useEffect(() => {
    newest.current = { selected, onSelect };
  }, [selected, onSelect]);
  return useCallback((id, isSelected) => {
    const next = new Set(newest.current.selected);
    if (isSelected) next.add(id);
    else next.delete(id);
    newest.current.onSelect(next);
  }, []);
}
