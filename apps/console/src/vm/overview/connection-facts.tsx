import type { Vm } from '@qmp-gateway/client';
import { Time } from '../../app/time.js';
import { Facts } from './facts.js';

/** How the gateway reaches it. */
export function ConnectionFacts({ vm }: { readonly vm: Vm }) {
  const { endpoint, source, node, epoch, capabilities, retryAt, schema, agent } = vm;
  return (
    <Facts
      facts={[
        ['Monitor', endpoint ?? 'Shown from level configure up'],
        ['Agent', agent?.endpoint],
        ['Known from', sources[source]],
        ['Node', node],
        [
          'Next attempt',
          retryAt === undefined || new Date(retryAt) < new Date() ? undefined : <Time key="retry" at={retryAt} />,
        ],
        ['Session', epoch],
        ['Capabilities', capabilities.join(', ')],
        ['Schema', schema],
      ]}
    />
  );
}

const sources = {
  settings: 'The settings of the gateway',
  api: 'The API',
  discovery: 'A socket that was found',
} as const;
