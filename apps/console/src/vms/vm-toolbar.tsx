import { Switch, Toolbar, ToolbarContent, ToolbarFilter, ToolbarGroup, ToolbarItem } from '@patternfly/react-core';
import type { Vm } from '@qmp-gateway/client';
import { CheckboxFilter } from './checkbox-filter.js';
import { SearchBox } from './search-box.js';
import { SelectionActions } from './fan-out/selection-actions.js';
import { labelsOf, statesOf, type VmFilter } from './vm-filter.js';

interface VmToolbarProps {
  readonly vms: readonly Vm[];
  readonly filter: VmFilter;
  readonly onFilter: (filter: VmFilter) => void;
  readonly hasScreens: boolean;
  readonly showScreens: (show: boolean) => void;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
}

/** Search, filters, and what can be done with the rows that are selected. */
export function VmToolbar({ vms, filter, onFilter, hasScreens, showScreens, selected, onSelect }: VmToolbarProps) {
  return (
    <Toolbar
      clearAllFilters={() => onFilter({ text: '', states: [], labels: [] })}
      clearFiltersButtonText="Clear all filters"
      aria-label="Filters of the list"
    >
      <ToolbarContent>
        <ToolbarItem>
          <SearchBox text={filter.text} onSearch={(text) => onFilter({ ...filter, text })} />
        </ToolbarItem>
        <ToolbarGroup variant="filter-group">
          <FilterMenu
            title="State"
            {...{ vms }}
            valuesOf={statesOf}
            chosen={filter.states}
            onChoose={(chosen) => onFilter({ ...filter, states: chosen })}
          />
          <FilterMenu
            title="Label"
            {...{ vms }}
            valuesOf={labelsOf}
            chosen={filter.labels}
            onChoose={(chosen) => onFilter({ ...filter, labels: chosen })}
          />
        </ToolbarGroup>
        <ToolbarItem alignSelf="center">
          <Switch id="screens" label="Screens" isChecked={hasScreens} onChange={(_, show) => showScreens(show)} />
        </ToolbarItem>
        <ToolbarGroup align={{ default: 'alignEnd' }}>
          <SelectionActions selected={selected} onSelect={onSelect} />
        </ToolbarGroup>
      </ToolbarContent>
    </Toolbar>
  );
}

function FilterMenu(props: Parameters<typeof CheckboxFilter>[0]) {
  const { title, chosen, onChoose } = props;
  return (
    <ToolbarFilter
      categoryName={title}
      labels={[...chosen]}
      deleteLabel={(_, label) =>
        onChoose(chosen.filter((each) => each !== (typeof label === 'string' ? label : label.key)))
      }
      deleteLabelGroup={() => onChoose([])}
    >
      <CheckboxFilter {...props} />
    </ToolbarFilter>
  );
}
