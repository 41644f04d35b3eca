import { expect, it } from 'vitest';
import type { Vm } from '@qmp-gateway/client';
import { Signal } from '../../api/signal.js';
import { vmRow } from '../../api/vm.scene.js';
import { OutcomeList } from '../../outcomes/outcome-list.js';
import { powerActions, type PowerAction } from './power-actions.js';
import { runPowerAction, type PowerSession } from './run-power-action.js';

const powerdown = powerActions.find(({ command }) => command === 'system_powerdown') as PowerAction;

function sessionWith(row: { vm: Vm | undefined }) {
  const changed = new Signal();
  const executeInFull = () => Promise.resolve({ value: {}, operation: 'op', cursor: 'k.1' });
  const client = { vm: () => ({ executeInFull }) };
  const session = { client, outcomes: new OutcomeList(), vms: { changed, vm: () => row.vm } };
  return { session: session as unknown as PowerSession, changed };
}

it('tells that the guest has shut down when it has', async () => {
  const row: { vm: Vm | undefined } = { vm: vmRow('a') };
  const { session, changed } = sessionWith(row);
  const running = runPowerAction(session, 'a', powerdown);
  await expect.poll(() => session.outcomes.all.at(-1)?.detail).toContain('Waiting');
  row.vm = vmRow('a', { state: 'closed', health: null, runState: null });
  changed.tell();
  await running;
  expect(session.outcomes.all).toMatchObject([{ kind: 'done', detail: 'The guest has shut down.' }]);
});

it('tells that the guest has not, in time', async () => {
  const { session } = sessionWith({ vm: vmRow('a') });
  await runPowerAction(session, 'a', powerdown, 1);
  expect(session.outcomes.all).toMatchObject([{ kind: 'unknown' }]);
  expect(session.outcomes.all[0]?.detail).toContain('may ignore the power button');
});

it('offers only what makes sense as the VM is', () => {
  const offered = (vm: Vm) =>
    powerActions.filter(({ whyNot }) => whyNot(vm) === undefined).map(({ command }) => command);
  expect(offered(vmRow('a'))).not.toContain('cont');
  expect(offered(vmRow('a', { runState: 'paused' }))).not.toContain('stop');
  expect(offered(vmRow('a', { state: 'waiting' }))).toEqual([]);
});
