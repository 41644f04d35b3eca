import { Option, type Command } from 'commander';
import { formatNames, type Format } from './output/format-names.js';

/** Gathers the values of an option that may be given again. */
const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** An option that may be given again. */
export function repeatable(flags: string, text: string): Option {
  return new Option(flags, `${text}; repeatable`).argParser(collect);
}

/** `-l key=value` */
export function labelOption(): Option {
  return repeatable('-l, --label <key=value>', 'only VMs with this label');
}

/** `-o`, for commands that list or show something. @param standard without it; `by case`: the command decides */
export function formatOption(standard: Format | 'by case' = 'table'): Option {
  const option = new Option('-o, --output <format>', `how to print: ${formatNames.join(', ')}`);
  return standard === 'by case' ? option : option.default(standard);
}

/** Examples at the end of a command's help. */
export function withExamples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', () => {
    const program = rootOf(command).name();
    return `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.map((line) => `  ${program} ${line}\n`).join('')}`.trimEnd();
  });
}

/** The program that a command belongs to. */
export function rootOf(command: Command): Command {
  let root = command;
  while (root.parent !== null) root = root.parent;
  return root;
}
