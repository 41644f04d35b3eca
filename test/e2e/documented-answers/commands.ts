import { writeFileSync } from 'node:fs';
import { agentBecomes } from '../agent-scene.js';
import type { CheckedGateway } from './checked-gateway.js';
import { nextSession } from '../gateway-scene.js';
import { exchange } from '../http-exchange.js';
import { breakOff, failing, silence, type ScriptedVm } from './scripted-servers.js';

/** Resources that are answered by commands, of which some can fail: those that document 422. */
function ofCommands({ check }: CheckedGateway): string[] {
  return check.operations.filter(({ statuses }) => statuses.includes(422)).map(({ id }) => id);
}

/** Starts work that can be cancelled. @returns its operation */
export async function startWork({ gateway, vm }: CheckedGateway): Promise<string> {
  const answer = await gateway.fetch(`/v1/vms/${vm}/qmp/block-stream`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Prefer: 'respond-async' },
    body: JSON.stringify({ device: 'd', 'job-id': 'j' }),
  });
  const { id } = (await answer.json()) as { id: string };
  return id;
}

/** What the VM, or its guest agent, makes of commands. */
export async function problemsOfCommands(checked: CheckedGateway, scripted: ScriptedVm): Promise<void> {
  const { check } = checked;
  for (const [status, errorClass] of [
    [409, 'DeviceNotActive'],
    [422, 'GenericError'],
    [501, 'KVMMissingCap'],
  ] as const) {
    scripted.follow(failing(errorClass));
    for (const id of ofCommands(checked).filter((each) => each !== 'getScreen' || status !== 422))
      if (check.operation(id).statuses.includes(status)) await checked.askFor(status, id);
  }
  scripted.follow(silence);
  for (const id of ofCommands(checked)) await checked.askFor(504, id, { headers: { 'Request-Timeout': '50ms' } });
  scripted.follow(undefined);
  for (const id of ofCommands(checked)) await checked.askFor(412, id, { headers: { 'QMP-VM-Epoch': 'old.1' } });
  // What was never answered holds its place in the session.
  const { epoch } = (await exchange(checked.gateway, `/v1/vms/${checked.vm}`)).json();
  for (const { socket } of scripted.monitor.connections) socket.destroy();
  await nextSession(checked.gateway, checked.vm, String(epoch));
}

/** Connections that break while a command is on its way; each needs the next session. */
export async function brokenConnections(checked: CheckedGateway, scripted: ScriptedVm): Promise<void> {
  for (const id of ofCommands(checked)) {
    if (id === 'cancelOperation') {
      scripted.follow(undefined);
      checked.ids = { ...checked.ids, operation: await startWork(checked) };
    }
    scripted.follow(breakOff);
    await checked.askFor(502, id);
    scripted.follow(undefined);
    await checked.gateway.vmBecomes(checked.vm, 'ready');
    await agentBecomes(checked.gateway, checked.vm, 'ready');
  }
}

/** What the gateway does not expect: a picture that is none. */
export async function unreadablePicture(checked: CheckedGateway, scripted: ScriptedVm): Promise<void> {
  scripted.follow(({ arguments: args }) => {
    writeFileSync((args as { filename: string }).filename, 'no picture');
    return { return: {} };
  });
  await checked.askFor(500, 'getScreen');
  scripted.follow(undefined);
}
