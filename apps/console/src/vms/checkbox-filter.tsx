import { Badge, MenuToggle, Select, SelectList, SelectOption } from '@patternfly/react-core';
import { useState } from 'react';
import type { Count } from './vm-filter.js';

interface CheckboxFilterProps {
  readonly title: string;
  readonly counts: readonly Count[];
  readonly chosen: readonly string[];
  readonly onChoose: (chosen: readonly string[]) => void;
}

/** A menu of values to choose several of, each with how many rows have it. */
export function CheckboxFilter({ title, counts, chosen, onChoose }: CheckboxFilterProps) {
  const [isOpen, setOpen] = useState(false);
  const gone = chosen.filter((value) => !counts.some((each) => each.value === value));
  const offered = [...counts, ...gone.map((value) => ({ value, count: 0 }))];
  const toggle = (value: unknown): void =>
    onChoose(chosen.includes(String(value)) ? chosen.filter((each) => each !== value) : [...chosen, String(value)]);
  return (
    <Select
      isOpen={isOpen}
      onOpenChange={setOpen}
      onSelect={(_, value) => toggle(value)}
      selected={[...chosen]}
      isScrollable
      role="menu"
      toggle={(ref) => (
        <MenuToggle ref={ref} onClick={() => setOpen(!isOpen)} isExpanded={isOpen} isDisabled={offered.length === 0}>
          {title}
          {chosen.length > 0 ? <Badge className="qg-count">{chosen.length}</Badge> : null}
        </MenuToggle>
      )}
    >
      <SelectList>
        {offered.map(({ value, count }) => (
          <SelectOption key={value} value={value} hasCheckbox isSelected={chosen.includes(value)}>
            {value} <Badge isRead>{count}</Badge>
          </SelectOption>
        ))}
      </SelectList>
    </Select>
  );
}
