import type { Vm } from '@qmp-gateway/client';
import { Since } from '../../app/since.js';
import { Time } from '../../app/time.js';
import { connectionWords, healthWords, runStateWords, type StateWords } from '../state/state-words.js';
import { StateLabel } from '../state/vm-state.js';
import { Facts } from './facts.js';

/** How it is, and what each of that means: for somebody who was woken by it. */
export function StateFacts({ vm }: { readonly vm: Vm }) {
  const { since, lastError, agent } = vm;
  return (
    <Facts
      facts={[
        ['Guest', meant(runStateWords(vm))],
        ['Health', meant(healthWords(vm))],
        ['Gateway', meant(connectionWords(vm))],
        ['Since', <Since key="since" at={since} />],
        ['Guest agent', agent === undefined ? 'None is registered' : agentWords[agent.state]],
        [
          'Last error',
          lastError === null || vm.state !== 'ready' ? undefined : (
            <span key="error">
              {lastError.detail ?? lastError.code}, <Time at={lastError.time} />
            </span>
          ),
        ],
      ]}
    />
  );
}

function meant(words: StateWords | undefined) {
  if (words === undefined) return 'Not known';
  return (
    <>
      <StateLabel words={words} /> <span className="qg-second">{words.meaning}</span>
    </>
  );
}

const agentWords = {
  ready: 'It answers',
  silent: 'Connected, but nobody in the guest answers',
  connecting: 'Connecting',
  busy: 'Another client holds it',
  waiting: 'Not connected',
} as const;
