import { Checkbox, Label } from '@patternfly/react-core';
import { Td, Tr } from '@patternfly/react-table';
import type { Vm } from '@qmp-gateway/client';
import { memo } from 'react';
import { Link } from 'react-router';
import { Since } from '../app/since.js';
import { Thumbnail } from '../vm/picture/thumbnail.js';
import { headline, type StateWords } from '../vm/state/state-words.js';

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
    <Tr isRowSelected={isSelected} aria-rowindex={index + 2} style={{ height }}>
      <Td>
        <Checkbox
          id={`select-${id}`}
          aria-label={`Select ${id}`}
          isChecked={isSelected}
          onChange={(_, isChecked) => onSelect(id, isChecked)}
        />
      </Td>
      {hasScreens ? (
        <Td dataLabel="Screen">
          <Thumbnail vm={vm} />
        </Td>
      ) : null}
      <Td dataLabel="VM" modifier="truncate">
        <Link to={`/vms/${encodeURIComponent(id)}`} title={id}>
          {id}
        </Link>
        {name === null || name === id ? null : <div className="qg-second">{name}</div>}
      </Td>
      <Td dataLabel="State">
        <RowState words={headline(vm)} />
      </Td>
      <Td dataLabel="Since" modifier="nowrap">
        <Since at={since} />
      </Td>
      {hasNodes ? (
        <Td dataLabel="Node" modifier="truncate">
          {node}
        </Td>
      ) : null}
      <Td dataLabel="Version" modifier="truncate">
        {[kind, version].filter((each) => each !== null).join(' ')}
      </Td>
      <Td dataLabel="Labels" modifier="nowrap">
        <RowLabels labels={vm.labels} />
      </Td>
    </Tr>
  );
});

/** What it means is its title: a tooltip for each row would cost more than the row. */
function RowState({ words: { status, word, meaning } }: { readonly words: StateWords }) {
  return (
    <Label {...(status === 'custom' ? { color: 'grey' } : { status })} variant="outline" isCompact title={meaning}>
      {word}
    </Label>
  );
}

function RowLabels({ labels }: Pick<Vm, 'labels'>) {
  const all = Object.entries(labels);
  const more = all.length - mostLabels;
  return (
    <span className="qg-labels">
      {all.slice(0, mostLabels).map(([key, value]) => (
        <Label key={key} isCompact>
          {`${key}=${value}`}
        </Label>
      ))}
      {more > 0 ? (
        <Label isCompact variant="overflow">
          {more} more
        </Label>
      ) : null}
    </span>
  );
}
