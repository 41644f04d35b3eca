import type { ReactNode } from 'react';

interface RowCellProps {
  /** Of its column: what a narrow page shows before it. */
  readonly label?: string;
  /** Text that is too long ends in dots; otherwise all of it is on one line. */
  readonly modifier?: 'truncate' | 'nowrap';
  readonly children: ReactNode;
}

/**
 * A cell of the component library's table. The library's own measures itself after each step of the wheel, and the browser
 * has to lay out the page for that.
 */
export function RowCell({ label, modifier, children }: RowCellProps) {
  const look = modifier === undefined ? '' : ` pf-m-${modifier}`;
  return (
    <td role="gridcell" className={`pf-v6-c-table__td${look}`} data-label={label}>
      {children}
    </td>
  );
}

/** Of the first row; see {@link RowCell}. */
export function HeadCell({ children }: Pick<RowCellProps, 'children'>) {
  return (
    <th role="columnheader" scope="col" className="pf-v6-c-table__th">
      {children}
    </th>
  );
}
