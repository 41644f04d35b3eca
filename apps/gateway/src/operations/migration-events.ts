import type { QapiModel } from '@qmp-gateway/qapi';
import type { Vm } from '../vms/vm.js';

const command = 'migrate-set-capabilities';
const args = '{"capabilities":[{"capability":"events","state":true}]}';
const deadlineMs = 30_000;

/**
 * Just before `migrate` or `migrate-incoming`, or when a VM is found that awaits one: has it tell of its migration by events.
 * A source can't switch them on later, and without them the end can only be asked for.
 *
 * @returns false when the VM has no such switch, or no place for a second command is free
 */
export function switchOnMigrationEvents(vm: Vm): boolean {
  if (vm.schema === undefined || !hasSwitch(vm.schema.model) || vm.monitor.places < 2) return false;
  void vm.monitor.run(command, args, { deadlineMs });
  return true;
}

/** A capability named `events` in the list that the command takes. */
function hasSwitch(model: QapiModel): boolean {
  const list = model.commands.get(command)?.arguments.members[0]?.type;
  const status = list?.kind === 'array' && list.element.kind === 'object' ? list.element : undefined;
  const name = status?.members.find((member) => member.name === 'capability')?.type;
  return name?.kind === 'enum' && name.values.some((value) => value.name === 'events');
}
