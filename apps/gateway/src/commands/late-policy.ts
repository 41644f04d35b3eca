import { mayAnswerSecret, secretInAnswer, type Ruling } from '@qmp-gateway/catalog';
import type { JsonNode } from '@qmp-gateway/qapi';
import { asText, parsedJson } from '@qmp-gateway/qmp';
import type { CommandCheck, CheckQuestion } from './command-check.js';
import { Problem } from '../problems/problem.js';
import type { SchemaCommand, VmSchema } from '../schemas/vm-schema.js';
import { mayBeOwnMonitor, pathToAskAbout } from '../access/policy/own-monitor.js';
import { forbidden, isSecretProperty, type Decision, type GovernedVm, type Policy } from '../access/policy/policy.js';
import type { Principal } from '../access/principal.js';

/** A command that policy let through by its arguments. */
export interface AcceptedCommand {
  readonly request: { readonly principal: Principal };
  readonly found: {
    readonly schema: VmSchema;
    readonly command: SchemaCommand;
    readonly vm: GovernedVm & { readonly id: string };
  };
  readonly document: { readonly root: JsonNode } | undefined;
  /** It is refused after all. */
  refusedLate(decision: Decision): void;
}

/**
 * What policy can say only with the VM's help: whether a path leads to the gateway's own monitor, which the VM is asked
 * before, and whether an answer holds a secret, which is looked for in the answer itself. So nothing can change between
 * the look and the answer. Undefined for the many commands that need neither.
 */
export function latePolicy(policy: Policy, accepted: AcceptedCommand): CommandCheck | undefined {
  const { command, vm } = accepted.found;
  const path = pathToAskAbout(command.name, accepted.document?.root, vm.ownMonitor);
  const withhold = withholding(policy, accepted);
  if (path === undefined && withhold === undefined) return undefined;
  return {
    ...(path === undefined ? {} : { question: questionAbout(path, policy, accepted) }),
    ...(withhold === undefined ? {} : { withhold }),
  };
}

function questionAbout(path: string, policy: Policy, accepted: AcceptedCommand): CheckQuestion {
  const { command, vm } = accepted.found;
  return {
    command: 'qom-get',
    argumentsJson: JSON.stringify({ path, property: 'type' }),
    refusal: (answer) => {
      const type = asText(parsedJson(answer));
      if (!mayBeOwnMonitor(type)) return undefined;
      const found =
        type === undefined ? 'where it leads is unknown' : `it leads to an object of type ${type.slice(0, 64)}`;
      const reason = `${found}, which may carry the gateway's own connection to this VM; name another as /objects/ID`;
      const decision = {
        ...policy.decide(accepted.request.principal, accepted.found, accepted.document?.root),
        rule: 'own-monitor',
        reason,
      };
      accepted.refusedLate({ ...decision, allowed: false });
      return forbidden(command.name, decision).about({ vm: vm.id, command: command.name });
    },
  };
}

/** Undefined when the caller may read secrets, or the command tells none. */
function withholding(policy: Policy, accepted: AcceptedCommand): CommandCheck['withhold'] {
  const { command, vm } = accepted.found;
  if (!mayAnswerSecret(command.name)) return undefined;
  const asHost = (reason: string): Decision => {
    const ruling: Ruling = { class: 'host', rule: `${command.name}:secret`, reason };
    return policy.decide(accepted.request.principal, accepted.found, accepted.document?.root, ruling);
  };
  if (asHost('').allowed) return undefined;
  return (answer) => {
    const secret = secretInAnswer(command.name, answer, (name) => isSecretProperty(name, vm));
    if (secret === undefined) return undefined;
    const decision = asHost(`the answer holds ${secret}`);
    accepted.refusedLate(decision);
    const { code, detail } = forbidden(command.name, decision);
    // It was sent, and changes nothing.
    return new Problem(code, detail, { vm: vm.id, command: command.name, outcome: 'refused' });
  };
}
