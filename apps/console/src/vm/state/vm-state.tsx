import { Label, LabelGroup, Tooltip } from '@patternfly/react-core';
import type { Vm } from '@qmp-gateway/client';
import { connectionWords, healthWords, runStateWords, type StateWords } from './state-words.js';

/** Session, run state and health of a VM as labels; what is as it should be is not said twice. */
export function VmState({ vm }: { readonly vm: Vm }) {
  const words = [
    vm.state === 'ready' ? undefined : connectionWords(vm),
    runStateWords(vm),
    vm.health === 'ok' ? undefined : healthWords(vm),
  ].filter((each) => each !== undefined);
  return (
    <LabelGroup aria-label="State" numLabels={3}>
      {words.map((each) => (
        <StateLabel key={each.word} words={each} />
      ))}
    </LabelGroup>
  );
}

export function StateLabel({ words: { status, word, meaning } }: { readonly words: StateWords }) {
  return (
    <Tooltip content={meaning}>
      <Label {...(status === 'custom' ? { color: 'grey' } : { status })} variant="outline" tabIndex={0}>
        {word}
      </Label>
    </Tooltip>
  );
}
