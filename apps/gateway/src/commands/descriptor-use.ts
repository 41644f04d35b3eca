import type { JsonNode } from '@qmp-gateway/qapi';
import { Problem } from '../problems/problem.js';
import { descriptorsIn, setsIn } from '../vms/passed-descriptors.js';
import type { CheckQuestion, CommandCheck } from './command-check.js';
import type { CommandTarget } from './command-target.js';

/** What a command needs of the descriptors that it uses: they are those of the session that it is sent in. */
export interface DescriptorUse {
  /** Of `getfd`: used up by the command, also when it fails. */
  readonly names: readonly string[];
  /** Why it must not be sent in this session; undefined when it may. */
  refusal(epoch: string | null): Problem | undefined;
}

/** A command whose arguments were read. */
interface UsingCommand {
  readonly found: CommandTarget;
  readonly document: { readonly root: JsonNode } | undefined;
}

/**
 * Looks for passed descriptors in the arguments of a command for a VM. A name of `getfd` that was passed in another session is
 * refused: no server tells whether it still has it. A set of `add-fd` is asked for, in the turn of the command.
 * Undefined for the many commands that use none.
 */
export function descriptorUse(run: UsingCommand): { use: DescriptorUse; question?: CheckQuestion } | undefined {
  const { vm, server, schema, command } = run.found;
  const { passed } = vm;
  if (server !== vm || passed.isEmpty) return undefined;
  const { names, sets } = descriptorsIn(run.document?.root, passed);
  if (names.length + sets.length === 0) return undefined;
  const about = { vm: vm.id, command: command.name };
  const isOf = (epoch: string | null) => (known: { readonly epoch: string } | undefined) => known?.epoch === epoch;
  const oldSets = sets.filter((set) => !isOf(vm.epoch)(passed.sets.get(set)));
  const asks = oldSets.length > 0 && schema.commands.has('query-fdsets');
  const use: DescriptorUse = {
    names,
    refusal(epoch) {
      const name = names.find((one) => passed.names.has(one) && !isOf(epoch)(passed.names.get(one)));
      if (name !== undefined) return lost(`The descriptor ${name} was`, about);
      const set = sets.find((one) => !isOf(epoch)(passed.sets.get(one)));
      return set === undefined || (asks && oldSets.includes(set)) ? undefined : lost(`The set ${set} was`, about);
    },
  };
  return asks ? { use, question: questionAbout(oldSets, run) } : { use };
}

function questionAbout(sets: readonly number[], { found: { vm, command } }: UsingCommand): CheckQuestion {
  return {
    command: 'query-fdsets',
    argumentsJson: '{}',
    refusal(answer) {
      const there = setsIn(answer);
      if (there !== undefined) vm.passed.setsTold(there);
      const gone = sets.find((set) => there?.has(set) !== true);
      return gone === undefined
        ? undefined
        : lost(`The VM has no set ${gone} any more: it was`, { vm: vm.id, command: command.name });
    },
  };
}

function lost(what: string, about: { vm: string; command: string }): Problem {
  return new Problem(
    'descriptor-lost',
    `${what} passed in an earlier session with the VM, which may have closed it since; pass it again.`,
    about,
  );
}

/** A question of descriptors beside what policy wants to know; where policy asks something of its own, it is not asked. */
export function withQuestion(
  check: CommandCheck | undefined,
  question: CheckQuestion | undefined,
): CommandCheck | undefined {
  if (question === undefined || check?.question !== undefined) return check;
  return { ...check, question };
}
