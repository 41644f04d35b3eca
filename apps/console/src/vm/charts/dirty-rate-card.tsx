import { Card, CardBody, Flex } from '@patternfly/react-core';
import { GatewayProblem, type VmClient } from '@qmp-gateway/client';
import { useEffect, useState } from 'react';
import { ActionButton } from '../../access/action-button.js';
import { useMayRun } from '../../access/use-may-run.js';
import { useVmClient } from '../../api/use-gateway.js';
import { useRunCommand } from '../../commands/use-run-command.js';
import { bytesText } from '../../units/quantities.js';
import { dirtyRate, type DirtyRate } from './dirty-rate.js';
import { NothingToRead } from './chart-card.js';
import { Poller } from './poller.js';
import { problemReason } from './problem-reason.js';

const mib = 1024 ** 2;
const seconds = 1;

/** How fast the guest dirties its memory: measured when somebody asks, because measuring slows the guest. */
export function DirtyRateCard({ vm }: { readonly vm: string }) {
  const client = useVmClient(vm);
  const may = useMayRun(vm, 'calc-dirty-rate');
  const run = useRunCommand(vm);
  const [rate, setRate] = useState<DirtyRate>();
  const [missing, setMissing] = useState<string>();
  const [isMeasuring, setMeasuring] = useState(false);
  useMeasurement(client, { vm, isMeasuring, onRate: setRate, onMissing: setMissing, onEnd: () => setMeasuring(false) });
  if (missing !== undefined) return <NothingToRead reason={missing} />;
  const measure = async (): Promise<void> => {
    const outcome = await run('calc-dirty-rate', { 'calc-time': seconds }, { title: `Measure dirty memory of ${vm}` });
    setMeasuring(outcome.kind === 'done');
  };
  const says = `Watches the memory of the guest for ${seconds} s. The guest is a little slower meanwhile.`;
  return (
    <Card isCompact>
      <CardBody>
        <Flex gap={{ default: 'gapMd' }} alignItems={{ default: 'alignItemsCenter' }}>
          <ActionButton
            variant="secondary"
            does={says}
            whyNot={may.allowed === false ? may.reason : isMeasuring ? 'It is being measured.' : undefined}
            isLoading={isMeasuring}
            onClick={() => void measure()}
          >
            Measure
          </ActionButton>
          <span data-testid="dirty-rate">{rateWords(rate, isMeasuring)}</span>
        </Flex>
        <p className="qg-second">
          How much memory the guest writes in a second. A migration comes to its end only if it sends faster than that.
        </p>
      </CardBody>
    </Card>
  );
}

function rateWords(rate: DirtyRate | undefined, isMeasuring: boolean): string {
  if (isMeasuring) return 'Measuring …';
  if (rate?.status !== 'measured' || rate.mibPerSecond === null) return 'Not measured yet.';
  return `${bytesText(rate.mibPerSecond * mib)}/s when it was measured last.`;
}

interface MeasurementOptions {
  readonly vm: string;
  readonly isMeasuring: boolean;
  readonly onRate: (rate: DirtyRate) => void;
  readonly onMissing: (reason: string) => void;
  readonly onEnd: () => void;
}

/** Asks for the latest measurement once, and again until one that was begun has ended. */
function useMeasurement(client: VmClient, { vm, isMeasuring, onRate, onMissing, onEnd }: MeasurementOptions): void {
  useEffect(() => {
    const read = async (signal: AbortSignal): Promise<void> => {
      const rate = await dirtyRate(client, signal);
      if (signal.aborted) return;
      onRate(rate);
      if (rate.status !== 'measuring') {
        onEnd();
        poller.stop();
      }
    };
    const failed = (error: unknown): void => {
      const { reason, isForGood } = problemReason(error);
      if (isForGood) onMissing(reason);
      // A VM that is away is asked again with the next measurement.
      if (error instanceof GatewayProblem) poller.stop();
    };
    const poller = new Poller(read, { pauseMs: 500, failed });
    poller.start();
    return () => poller.stop();
    // The callbacks are others at each render, and do the same.
  }, [vm, isMeasuring]);
}
