import { Checkbox } from '@patternfly/react-core';
import type { Vm } from '@qmp-gateway/client';
import { memo } from 'react';
import { Link } from 'react-router';
import { Since } from '../app/since.js';
import { Thumbnail } from '../vm/picture/thumbnail.js';
import { headline, type StateWords } from '../vm/state/state-words.js';
import { RowCell } from './row-cell.js';
import { RowLabel } from './row-label.js';

interface VmRowProps {
  readonly vm: Vm;
  readonly index: number;
  readonly hasScreens: boolean;
  readonly hasNodes: boolean;
  readonly isSelected: boolean;
  /** Pixels. */
  readonly height: number;
  readonly onSelect: (id: string, isSelected: boolean) => void;
}

/** Labels of a row; the others are in its page. */
const mostLabels = 3;

/** One VM. Drawn again only when it changed. */
export const VmRow = memo(function VmRow(props: VmRowProps) {
  const { vm, index, hasScreens, hasNodes, isSelected, height, onSelect } = props;
  const { id, name, version, kind, node, since } = vm;
  return (
    <tr
      role="row"
      className={`pf-v6-c-table__tr${isSelected ? ' pf-m-selected' : ''}`}
      aria-rowindex={index + 2}
      style={{ height }}
    >
      <RowCell>
        <Checkbox
          id={`select-${id}`}
          aria-label={`Select ${id}`}
          isChecked={isSelected}
          onChange={(_, isChecked) => onSelect(id, isChecked)}
        />
      </RowCell>
      {hasScreens ? (
        <RowCell label="Screen">
          <Thumbnail vm={vm} />
        </RowCell>
      ) : null}
      <RowCell label="VM" modifier="truncate">
        <Link to={`/vms/${encodeURIComponent(id)}`} title={id}>
          {id}
        </Link>
        {name === null || name === id ? null : <div className="qg-second">{name}</div>}
      </RowCell>
      <RowCell label="State">
        <RowState words={headline(vm)} />
      </RowCell>
      <RowCell label="Since" modifier="nowrap">
        <Since at={since} />
      </RowCell>
      {hasNodes ? (
        <RowCell label="Node" modifier="truncate">
          {node}
        </RowCell>
      ) : null}
      <RowCell label="Version" modifier="truncate">
        {[kind, version].filter((each) => each !== null).join(' ')}
      </RowCell>
      <RowCell label="Labels" modifier="nowrap">
        <RowLabels labels={vm.labels} />
      </RowCell>
    </tr>
  );
});

/** What it means is its title: a tooltip for each row would cost more than the row. */
function RowState({ words: { status, word, meaning } }: { readonly words: StateWords }) {
  return <RowLabel text={word} title={meaning} status={status} />;
}

function RowLabels({ labels }: Pick<Vm, 'labels'>) {
  const all = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const more = all.slice(mostLabels);
  return (
    <span className="qg-labels">
      {all.slice(0, mostLabels).map((text) => (
        <RowLabel key={text} text={text} title={text} />
      ))}
      {more.length > 0 ? <RowLabel text={`${more.length} more`} title={more.join('\n')} status="custom" /> : null}
    </span>
  );
}
