import { Checkbox } from '@patternfly/react-core';
import { Table, Tbody, Thead } from '@patternfly/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import type { Vm } from '@qmp-gateway/client';
import { memo, useCallback, useEffect, useRef } from 'react';
import { HeadCell } from './row-cell.js';
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
const overscan = 3;

/** The rows that are seen, out of all. */
export function VmTable({ vms, hasScreens, selected, onSelect }: VmTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const height = hasScreens ? rowHeightWithScreen : rowHeight;
  const virtual = useVirtualizer({
    count: vms.length,
    getScrollElement: () => scroller.current,
    estimateSize: useCallback(() => height, [height]),
    overscan,
  });
  const items = virtual.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const hasNodes = vms.some(({ node }) => node !== undefined);
  const columns = 6 + Number(hasNodes) + Number(hasScreens);
  const allSelected = vms.length > 0 && vms.every(({ id }) => selected.has(id));
  const { select, selectAll } = useSelect({ vms, selected, onSelect });
  return (
    <div className="qg-scroller" ref={scroller} tabIndex={0} role="region" aria-label="VMs">
      <Table aria-label="VMs" aria-rowcount={vms.length + 1} isStickyHeader variant="compact" className="qg-vms">
        <VmHead {...{ hasScreens, hasNodes }} isAll={allSelected} onAll={selectAll} />
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

const VmHead = memo(function VmHead({ hasScreens, hasNodes, isAll, onAll }: VmHeadProps) {
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
        <tr role="row" className="pf-v6-c-table__tr">
          <HeadCell>
            <Checkbox
              id="select-all"
              aria-label="Select all"
              isChecked={isAll}
              onChange={(_, isChecked) => onAll(isChecked)}
            />
          </HeadCell>
          {hasScreens ? <HeadCell>Screen</HeadCell> : null}
          <HeadCell>VM</HeadCell>
          <HeadCell>State</HeadCell>
          <HeadCell>Since</HeadCell>
          {hasNodes ? <HeadCell>Node</HeadCell> : null}
          <HeadCell>Version</HeadCell>
          <HeadCell>Labels</HeadCell>
        </tr>
      </Thead>
    </>
  );
});

type Selecting = Pick<VmTableProps, 'vms' | 'selected' | 'onSelect'>;

/** The same functions as long as the table is: others would make head and rows be drawn again. */
function useSelect(now: Selecting) {
  const newest = useRef(now);
  useEffect(() => {
    newest.current = now;
  });
  const select = useCallback((id: string, isSelected: boolean): void => {
    const next = new Set(newest.current.selected);
    if (isSelected) next.add(id);
    else next.delete(id);
    newest.current.onSelect(next);
  }, []);
  const selectAll = useCallback((isAll: boolean): void => {
    const { vms, onSelect } = newest.current;
    onSelect(new Set(isAll ? vms.map(({ id }) => id) : []));
  }, []);
  return { select, selectAll };
}
