import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Instruction {
  readonly name: string;
  /** As written, continuation lines joined. */
  readonly text: string;
}

/** A stage of a build: what it starts from, its name, and what is done in it. */
export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** Reads a Dockerfile as far as ours go: no heredocs, no directives. @param file path from the root of the workspace */
export function readDockerfile(file: string): Stage[] {
  const text = readFileSync(path.join(root, file), 'utf8')
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '');
  const stages: { image: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const [, name = '', rest = ''] of text.matchAll(/^([A-Z]+) (.+)$/gm)) {
    const from = name === 'FROM' ? /^(?:--platform=\S+ )?(\S+)(?: AS (\S+))?$/.exec(rest) : null;
    if (from !== null) stages.push({ image: from[1] ?? '', name: from[2], instructions: [] });
    else stages.at(-1)?.instructions.push({ name, text: rest });
  }
  return stages;
}

/** The arguments of the last instruction of this name in exec form, e.g. `ENTRYPOINT ["node", "x"]`. @throws when it has another */
export function execForm({ instructions }: Stage, name: string): string[] {
  const text = instructions.findLast((instruction) => instruction.name === name)?.text ?? '';
  return JSON.parse(text.slice(text.indexOf('['))) as string[];
}

export interface Copy {
  /** The stage it copies from; undefined for the context. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}

export function copiesOf({ instructions }: Stage): Copy[] {
  return instructions
    .filter(({ name }) => name === 'COPY')
    .map(({ text }) => {
      const [, from, operands = ''] = /^(?:--from=(\S+) )?(.+)$/.exec(text) ?? [];
      const names = operands.split(' ');
      return { from, sources: names.slice(0, -1), target: names.at(-1) ?? '' };
    });
}

/** Whether `.dockerignore` keeps a path of the context out of builds; its patterns are names, some with two stars before. */
export function isIgnored(file: string): boolean {
  const patterns = readFileSync(path.join(root, '.dockerignore'), 'utf8').trim().split('\n');
  const parts = file.split('/');
  return patterns.some((pattern) =>
    pattern.startsWith('**/') ? parts.includes(pattern.slice(3)) : file === pattern || file.startsWith(`${pattern}/`),
  );
}
