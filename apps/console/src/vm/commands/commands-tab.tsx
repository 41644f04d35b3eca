import { Sidebar, SidebarContent, SidebarPanel } from '@patternfly/react-core';
import type { VmSchema } from '@qmp-gateway/client';
import { useLocation, useParams } from 'react-router';
import { Asked } from '../../app/asked.js';
import type { VmTabProps } from '../tabs.js';
import { CommandList } from './command-list.js';
import { CommandPage } from './command-page.js';
import { HistoryView } from './history-view.js';
import { useVmSchema } from './schema-memory.js';
import './commands.css';

/** Any command of the VM, by a form that is made from what the VM says of it. */
export default function CommandsTab({ vm }: VmTabProps) {
  const answer = useVmSchema(vm);
  return (
    <Asked answer={answer} what="The list of commands">
      {(schema) => <Commands vm={vm} schema={schema} />}
    </Asked>
  );
}

function Commands({ vm, schema }: { readonly vm: string; readonly schema: VmSchema }) {
  const { '*': name = '' } = useParams();
  const { state, key } = useLocation() as { readonly state: unknown; readonly key: string };
  const initial = argumentsIn(state);
  return (
    <Sidebar hasGutter hasBorder>
      <SidebarPanel
        variant="sticky"
        width={{ default: 'width_100', lg: 'width_33', xl: 'width_25' }}
        className="qg-command-panel"
      >
        <CommandList vm={vm} schema={schema} chosen={name} />
      </SidebarPanel>
      <SidebarContent hasNoBackground>
        {name === '' ? (
          <HistoryView vm={vm} />
        ) : (
          <CommandPage
            key={initial === undefined ? name : `${name} ${key}`}
            vm={vm}
            schema={schema}
            name={name}
            initial={initial}
          />
        )}
      </SidebarContent>
    </Sidebar>
  );
}

/** Arguments that another view wants filled in. */
function argumentsIn(state: unknown): string | undefined {
  const args: unknown =
    typeof state === 'object' && state !== null && 'arguments' in state ? state.arguments : undefined;
  return typeof args === 'string' ? args : undefined;
}
