import { Button, Flex, FlexItem, Title } from '@patternfly/react-core';
import { AngleDownIcon } from '@patternfly/react-icons/dist/esm/icons/angle-down-icon.js';
import { AngleRightIcon } from '@patternfly/react-icons/dist/esm/icons/angle-right-icon.js';
import { writeJson } from '@qmp-gateway/client';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { saveFile } from '../../app/save-file.js';
import { answerRows, openAtFirst, type AnswerRow } from './answer-rows.js';

/** Pixels; a row has one line. */
const rowHeight = 25.6;

/** An answer as a tree of which only the rows in sight are on the page, however large it is. */
export function AnswerTree({
  value,
  name,
  title = 'Answer',
}: {
  readonly value: unknown;
  /** What it is of: a command, an object. */
  readonly name: string;
  readonly title?: string;
}) {
  const [open, setOpen] = useState<{ of: unknown; pointers: ReadonlySet<string> }>();
  const first = useMemo(() => openAtFirst(value), [value]);
  const pointers = open !== undefined && open.of === value ? open.pointers : first;
  const rows = useMemo(() => answerRows(value, pointers), [value, pointers]);
  const toggle = ({ pointer, isOpen }: AnswerRow): void => {
    if (isOpen === undefined) return;
    const next = new Set(pointers);
    if (isOpen) next.delete(pointer);
    else next.add(pointer);
    setOpen({ of: value, pointers: next });
  };
  return (
    <section aria-label={`Answer of ${name}`}>
      <Flex justifyContent={{ default: 'justifyContentSpaceBetween' }}>
        <FlexItem>
          <Title headingLevel="h2" size="lg">
            {title}
          </Title>
        </FlexItem>
        <FlexItem>
          <Button variant="link" onClick={() => void copy(value)}>
            Copy
          </Button>
          <Button variant="link" onClick={() => saveFile([writeJson(value) ?? ''], `${name}.json`)}>
            Download
          </Button>
        </FlexItem>
      </Flex>
      <Rows rows={rows} name={name} onToggle={toggle} />
    </section>
  );
}

interface RowsProps {
  readonly rows: readonly AnswerRow[];
  readonly name: string;
  readonly onToggle: (row: AnswerRow) => void;
}

function Rows({ rows, name, onToggle }: RowsProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => rowHeight,
    overscan: 10,
  });
  const current = Math.min(active, rows.length - 1);
  const press = (event: KeyboardEvent): void => {
    const row = rows[current];
    const move = keyMove(event.key, rows, current);
    if (move === undefined || row === undefined) return;
    event.preventDefault();
    if (move === 'toggle') {
      onToggle(row);
      return;
    }
    const next = Math.max(0, Math.min(rows.length - 1, move));
    setActive(next);
    virtual.scrollToIndex(next);
  };
  return (
    <div
      ref={frame}
      className="qg-answer"
      role="tree"
      aria-label={`Answer of ${name}`}
      tabIndex={0}
      aria-activedescendant={rowId(name, current)}
      onKeyDown={press}
    >
      <div className="qg-answer-rows" role="presentation" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return row === undefined ? null : (
            <Row
              key={row.pointer}
              id={rowId(name, index)}
              row={row}
              start={start}
              isActive={index === current}
              onClick={() => {
                setActive(index);
                onToggle(row);
              }}
            />
          );
        })}
      </div>
    </div>
  );
}

function Row({
  id,
  row,
  start,
  isActive,
  onClick,
}: {
  readonly id: string;
  readonly row: AnswerRow;
  readonly start: number;
  readonly isActive: boolean;
  readonly onClick: () => void;
}) {
  const { level, label, text, kind, isOpen } = row;
  return (
    <div
      id={id}
      role="treeitem"
      aria-level={level}
      aria-selected={isActive}
      {...(isOpen === undefined ? {} : { 'aria-expanded': isOpen })}
      className="qg-answer-row"
      style={{ transform: `translateY(${start}px)`, paddingInlineStart: Math.min(level, deepestIndent) * 16 - 8 }}
      onClick={onClick}
    >
      <span aria-hidden>{isOpen === undefined ? '  ' : isOpen ? <AngleDownIcon /> : <AngleRightIcon />}</span>
      {label === undefined ? null : <span className="qg-answer-label">{label}:</span>}
      <span className={kind === 'number' ? 'qg-answer-text qg-answer-number' : 'qg-answer-text'}>{text}</span>
    </div>
  );
}

/** Deeper than this, a row says by its level how deep it is. */
const deepestIndent = 24;

function rowId(name: string, index: number): string {
  return `answer-${name}-${index}`;
}

/** Where a key leads from a row, as trees have it: to a row, or to opening and closing. */
function keyMove(key: string, rows: readonly AnswerRow[], at: number): number | 'toggle' | undefined {
  const row = rows[at];
  switch (key) {
    case 'ArrowDown':
      return at + 1;
    case 'ArrowUp':
      return at - 1;
    case 'Home':
      return 0;
    case 'End':
      return rows.length - 1;
    case 'PageDown':
      return at + 20;
    case 'PageUp':
      return at - 20;
    case 'Enter':
    case ' ':
      return 'toggle';
    case 'ArrowRight':
      return row?.isOpen === false ? 'toggle' : at + 1;
    case 'ArrowLeft':
      if (row?.isOpen === true) return 'toggle';
      return rows.findLastIndex((each, index) => index < at && each.level < (row?.level ?? 0));
    default:
      return undefined;
  }
}

async function copy(value: unknown): Promise<void> {
  await navigator.clipboard.writeText(writeJson(value) ?? '');
}
