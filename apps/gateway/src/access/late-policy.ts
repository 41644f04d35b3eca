import type { JsonNode } from '@qmp-gateway/qapi';
import { asText, parsedJson } from '@qmp-gateway/qmp';
import type { CommandCheck, Question } from '../commands/command-check.js';
import type { SchemaCommand, VmSchema } from '../schemas/vm-schema.js';
import { mayBeOwnMonitor, pathToAskAbout } from './own-monitor.js';
import { forbidden, type Decision, type GovernedVm, type Policy } from './policy.js';
import type { Principal } from './principal.js';

/** A command that policy let through by its arguments. */
export interface AcceptedCommand {
  readonly principal: Principal;
  readonly schema: VmSchema;
  readonly command: SchemaCommand;
  readonly args: JsonNode | undefined;
  readonly vm: GovernedVm & { readonly id: string };
}

/**
 * What policy can say only with the VM's help: whether a path leads to the gateway's own monitor, which the VM is asked
 * before. Undefined for the many commands that need no such question.
 *
 * @param refused told when it is refused after all
 */
export function latePolicy(
  policy: Policy,
  accepted: AcceptedCommand,
  refused: (decision: Decision) => void,
): CommandCheck | undefined {
  const path = pathToAskAbout(accepted.command.name, accepted.args, accepted.vm.ownMonitor);
  return path === undefined ? undefined : { question: questionAbout(path, policy, accepted, refused) };
}

function questionAbout(
  path: string,
  policy: Policy,
  { principal, schema, command, args, vm }: AcceptedCommand,
  refused: (decision: Decision) => void,
): Question {
  return {
    command: 'qom-get',
    argumentsJson: JSON.stringify({ path, property: 'type' }),
    refusal: (answer) => {
      const type = asText(parsedJson(answer));
      if (!mayBeOwnMonitor(type)) return undefined;
      const found = type === undefined ? 'where it leads cannot be told' : `it leads to an object of type ${type.slice(0, 64)}`;
      const reason = `${found}, which may carry the gateway's own connection to this VM; name another as /objects/ID`;
      const decision = { ...policy.decide(principal, schema, command, args, vm), rule: 'own-monitor', reason };
      refused({ ...decision, allowed: false });
      return forbidden(command.name, decision).about({ vm: vm.id, command: command.name });
    },
  };
}
