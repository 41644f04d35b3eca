import { Badge, MenuToggle, Select, SelectList, SelectOption } from '@patternfly/react-core';
import type { Vm } from '@qmp-gateway/client';
import { useMemo, useState } from 'react';
import { countsOf } from './vm-filter.js';

interface CheckboxFilterProps {
  readonly title: string;
  readonly vms: readonly Vm[];
  /** What a VM has of this kind; the same function at each render. */
  readonly valuesOf: (vm: Vm) => readonly string[];
  readonly chosen: readonly string[];
  readonly onChoose: (chosen: readonly string[]) => void;
}

/** A menu of values to choose several of, each with how many rows have it. They are counted while it is open. */
export function CheckboxFilter({ title, vms, valuesOf, chosen, onChoose }: CheckboxFilterProps) {
  const [isOpen, setOpen] = useState(false);
  const counts = useMemo(() => (isOpen ? countsOf(vms, valuesOf) : []), [isOpen, vms, valuesOf]);
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
        <MenuToggle ref={ref} onClick={() => setOpen(!isOpen)} isExpanded={isOpen}>
          {title}
          {chosen.length > 0 ? <Badge className="qg-count">{chosen.length}</Badge> : null}
        </MenuToggle>
      )}
    >
      <SelectList>
        {offered.map(({ value, count }) => (
          <SelectOption key={value} value={value} hasCheckbox isSelected={chosen.includes(value)}>
            {value} <Badge isRead>{count.toLocaleString()}</Badge>
          </SelectOption>
        ))}
        {offered.length === 0 ? (
          <SelectOption key="" isDisabled>
            None
          </SelectOption>
        ) : null}
      </SelectList>
    </Select>
  );
}
