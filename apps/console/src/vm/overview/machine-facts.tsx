import { Label, LabelGroup } from '@patternfly/react-core';
import type { Vm } from '@qmp-gateway/client';
import { bytesText } from '../../units/quantities.js';
import { Facts } from './facts.js';
import { useMachine } from './use-machine.js';

/** What it is made of. */
export function MachineFacts({ vm }: { readonly vm: Vm }) {
  const { cpus, memory } = useMachine(vm);
  const { name, uuid, kind, version, labels } = vm;
  const pairs = Object.entries(labels);
  return (
    <Facts
      facts={[
        ['Name', name],
        ['UUID', uuid],
        ['Program', [kind, version].filter((each) => each !== null).join(' ')],
        ['Package', vm.package],
        ['CPUs', cpus],
        ['Memory', memory === undefined ? undefined : bytesText(memory)],
        [
          'Labels',
          pairs.length === 0 ? (
            'None'
          ) : (
            <LabelGroup key="labels" aria-label="Labels" numLabels={20}>
              {pairs.map(([key, value]) => (
                <Label key={key} isCompact>{`${key}=${value}`}</Label>
              ))}
            </LabelGroup>
          ),
        ],
      ]}
    />
  );
}
