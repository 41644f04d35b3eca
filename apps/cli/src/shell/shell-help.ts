import { commandText } from '../commands/describe-commands.js';
import type { ServerModel } from '../arguments/schema-model.js';
import type { Style } from '../output/style.js';

const generalHelp = [
  'COMMAND key=value …    runs a command of the VM; the values are read by its own model',
  'key.member=value       sets a nested member; a key given again makes a list',
  'key:=JSON              a value as JSON; so are words in {} and [], over several lines',
  '{"execute": …}         runs a message as the wire has it',
  '!COMMAND               runs a command of the human monitor (HMP)',
  'help COMMAND           what a command is for, and what it takes',
  'exit, Ctrl-D           leaves; quit is a command of the VM, and ends it',
  'Lines that begin with a space are not kept in the history.',
];

/** What `help` says, of the shell or of a command. */
export function describeShellCommand(
  model: ServerModel,
  name: string | undefined,
  surroundings: { readonly style: Style; readonly width: number | undefined },
): readonly string[] {
  if (name === undefined) return generalHelp;
  const command = model.commands.find((each) => each.name === name);
  return command === undefined ? [`The VM has no command ${name}.`] : commandText(model, command, surroundings);
}
