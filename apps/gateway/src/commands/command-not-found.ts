import { agentKind, isKnownCommand, meantCommands, serverKinds } from '@qmp-gateway/catalog';
import { nearestNames } from '@qmp-gateway/qapi';
import { didYouMean, Problem } from '../problems/problem.js';
import type { VmSchema } from '../schemas/vm-schema.js';
import type { Vm } from '../vms/vm.js';

/** Names told of at most; a VM has hundreds. */
const mostSuggestions = 4;
const shownName = 100;

/** The answer to a name that is no command of this server: with what QMP calls it, names near it, and where else it is one. */
export function commandNotFound(vm: Vm, schema: VmSchema, given: string): Problem {
  const name = given.slice(0, shownName);
  const { kind } = schema.origin;
  const offers = (command: string) => schema.commands.get(command)?.knowledge.offered === true;
  const likely = new Set([
    ...elsewhere(vm, schema, name),
    ...meantCommands(kind, name, offers),
    ...nearestNames(name, schema.commands.keys()),
  ]);
  const suggestions = [...likely].slice(0, mostSuggestions);
  const shown = JSON.stringify(name);
  const owner = serverKinds[kind].path === 'agent' ? `The guest agent of VM ${vm.id}` : `VM ${vm.id}`;
  return new Problem('command-not-found', `${owner} has no command ${shown}.${didYouMean(suggestions)}`, {
    vm: vm.id,
    command: name,
    suggestions,
    ...(suggestions.length > 0 ? { errors: [{ pointer: '', message: `unknown command ${shown}`, suggestions }] } : {}),
  });
}

/** A command of the guest agent sent to the monitor, or the other way round. */
function elsewhere(vm: Vm, { origin }: VmSchema, name: string): string[] {
  if (serverKinds[origin.kind].path === 'agent')
    return vm.schema?.commands.has(name) === true ? [`POST /v1/vms/${vm.id}/qmp/${name}`] : [];
  return vm.agent !== null && isKnownCommand(agentKind, name) ? [`POST /v1/vms/${vm.id}/agent/${name}`] : [];
}
