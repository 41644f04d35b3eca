import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Every page for users: the README, those of packages, and all of `docs/`. */
export function pages(): string[] {
  const folders = ['.', 'docs', 'docs/decisions', ...['apps', 'libs'].flatMap((group) => foldersIn(group))];
  return folders.flatMap((folder) =>
    readdirSync(path.join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.join(folder, name)),
  );
}

function foldersIn(group: string): string[] {
  return readdirSync(path.join(root, group)).map((name) => path.join(group, name));
}

/** A fenced block of a page. */
export interface Block {
  readonly page: string;
  /** Of its first line. */
  readonly line: number;
  readonly language: string;
  /** `not-run=WHY` of its info string: a key of the table of reasons. */
  readonly notRun: string | undefined;
  readonly text: string;
}

export function blocksOf(page: string): Block[] {
  const markdown = readFileSync(path.join(root, page), 'utf8');
  return [...markdown.matchAll(/^```(\w*)(.*)\n([^]*?)^```$/gm)].map(
    ({ index, 1: language = '', 2: info = '', 3: text = '' }) => ({
      page,
      line: markdown.slice(0, index).split('\n').length + 1,
      language,
      notRun: /^ not-run=(\S+)$/.exec(info)?.[1],
      text,
    }),
  );
}

export const isShell = ({ language }: Block): boolean => ['sh', 'bash', 'console'].includes(language);

/** What a reader would paste of a block: all of it, or of a `console` block what follows the prompt. */
function pasted({ language, text }: Block): string {
  if (language !== 'console') return text;
  return text
    .split('\n')
    .filter((line) => line.startsWith('$ '))
    .map((line) => line.slice(2))
    .join('\n');
}

/**
 * The blocks of a page as one script for bash, after `documented-commands.sh`. A command that ends in a comment like
 * `# 404 vm-not-found` must be answered with that problem.
 */
export function scriptOf(blocks: readonly Block[]): string {
  return blocks.flatMap(commandsOf).join('\n');
}

function commandsOf(block: Block): string[] {
  let { line } = block;
  return wholeCommands(pasted(block)).map((command) => {
    const expected = / # ([45]\d\d [a-z-]+)$/.exec(command)?.[1] ?? '';
    const at = `${block.page}:${line}`;
    line += command.split('\n').length;
    return `at='${at}' expected='${expected}'\n${command}`;
  });
}

/** Lines, with those that belong together as one: continued, quoted, looped, here-documents. */
function wholeCommands(text: string): string[] {
  const commands: string[] = [];
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    lines.push(line);
    const command = lines.join('\n');
    const heredoc = /<<-?\s*'?(\w+)/.exec(command)?.[1];
    const isOpen = line.endsWith('\\') || (heredoc !== undefined && lines.at(-1)?.trim() !== heredoc);
    if (isOpen || spawnSync('bash', ['-n', '-c', command]).status !== 0) continue;
    commands.push(command);
    lines = [];
  }
  return lines.length === 0 ? commands : [...commands, lines.join('\n')];
}
