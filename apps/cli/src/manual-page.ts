import type { Command } from 'commander';
import type { CommandContext } from './command-context.js';
import { exitStatus, type ExitStatus } from './exit-status.js';

const statuses: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'Done.'],
  ['1', 'Refused: the VM answered with an error, or the gateway does not let these credentials do it.'],
  ['2', 'Usage: what was typed is wrong. Nothing was sent to a VM.'],
  ['3', 'Not sent: the gateway or the VM is away, or what was named does not exist.'],
  ['4', 'Unknown: sent, and nobody said what became of it; or a wait was given up.'],
];

const variables: readonly (readonly [name: string, meaning: string])[] = [
  ['QMPGW_URL', 'The gateway, in place of the one of the last login.'],
  ['QMPGW_TOKEN', 'The token, in place of the one that login kept.'],
  ['QMPGW_CA, QMPGW_CERT, QMPGW_KEY', 'Files of TLS, as the options of the same names.'],
  ['NO_COLOR', 'Not empty: no colours.'],
];

/** `__manual`: the manual page, from what the commands say of themselves. */
export function writeManual({ output }: CommandContext, root: Command): Promise<ExitStatus> {
  output.write(manualPage(root));
  return Promise.resolve(exitStatus.done);
}

/** The manual page in roff, with the macros of man(7). */
export function manualPage(root: Command): string {
  const name = root.name();
  return [
    `.\\" Made by "npm run generate" from what the commands say of themselves. Do not edit.`,
    `.TH ${name.toUpperCase()} 1 "" "qmp-gateway ${root.version() ?? ''}" "User Commands"`,
    '.SH NAME',
    `${name} \\- ${escaped('work with the VMs of a qmp-gateway')}`,
    '.SH SYNOPSIS',
    `.B ${name}`,
    '[\\fIoptions\\fR] \\fIcommand\\fR [\\fIarguments\\fR]',
    '.SH COMMANDS',
    ...root.commands.flatMap((command) => commandPart(command, '')),
    '.SH OPTIONS OF ALL COMMANDS',
    ...optionPart(root),
    '.SH EXIT STATUS',
    ...statuses.flatMap(([status, meaning]) => ['.TP', `.B ${status}`, escaped(meaning)]),
    '.SH ENVIRONMENT',
    ...variables.flatMap(([variable, meaning]) => ['.TP', `.B ${variable}`, escaped(meaning)]),
    '.SH FILES',
    '.TP',
    '.I $XDG_CONFIG_HOME/qmp-gateway/login.json',
    'Gateways and tokens that login kept, for their owner alone.',
    '',
  ].join('\n');
}

function commandPart(command: Command, above: string): string[] {
  if (command.name().startsWith('__') || command.name() === 'help') return [];
  const called = above === '' ? command.name() : `${above} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((inner) => commandPart(inner, called));
  const operands = command.registeredArguments.map((argument) => {
    const word = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `\\fI${escaped(word)}\\fR` : `[\\fI${escaped(word)}\\fR]`;
  });
  return [
    `.SS ${[`"${called}"`, ...operands.map((operand) => `"${operand}"`)].join(' ')}`,
    escaped(sentence(command.description())),
    ...optionPart(command),
    ...examplePart(command),
  ];
}

function optionPart(command: Command): string[] {
  return command.options
    .filter(({ hidden }) => !hidden)
    .flatMap(({ flags, description, defaultValue }) => [
      '.TP',
      `.B ${escaped(flags)}`,
      escaped(sentence(typeof defaultValue === 'string' ? `${description} (default: ${defaultValue})` : description)),
    ]);
}

/** What `withExamples` adds to the help is written as it is. */
function examplePart(command: Command): string[] {
  let help = '';
  const before = command.configureOutput();
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  command.configureOutput(before);
  const examples = /\nExamples?:\n((?: {2}.*\n?)+)/.exec(help)?.[1] ?? '';
  return examples === ''
    ? []
    : [
        '.PP',
        '.nf',
        ...examples
          .trimEnd()
          .split('\n')
          .map((line) => escaped(line)),
        '.fi',
      ];
}

const sentence = (text: string): string => {
  const line = text.replaceAll('\n', ' ');
  return `${line.charAt(0).toUpperCase()}${line.slice(1)}${/[.!?)]$/.test(line) ? '' : '.'}`;
};

function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1');
}
