import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { SchemaFiles } from '@qmp-gateway/qapi';

/** A line of `cases.json`. */
export interface ConformanceCase {
  readonly case: string;
  readonly valid: boolean;
  readonly file: string | null;
  readonly line: number | null;
  readonly says: string | null;
}

/** A directory of small schemas with the verdict expected of each, in `cases.json`, and `.out` files for valid ones. */
export class ConformanceDirectory {
  constructor(readonly path: string) {}

  cases(): ConformanceCase[] {
    return JSON.parse(readFileSync(join(this.path, 'cases.json'), 'utf8')) as ConformanceCase[];
  }

  schema(name: string): string {
    return join(this.path, `${name}.json`);
  }

  /** Lines of the expected output without those about documentation, which come last; undefined without a file. */
  expectedOutput(name: string): string[] | undefined {
    const path = join(this.path, `${name}.out`);
    if (!existsSync(path)) return undefined;
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const documentation = lines.findIndex((line) => line.startsWith('doc '));
    return documentation < 0 ? lines : lines.slice(0, documentation);
  }

  /**
   * The files of a case. Where the directory lacks a file the case includes, but the `.out` tells what is in it, the
   * file is rebuilt from there; `rebuilt` gets its name.
   */
  filesOf(name: string, rebuilt: string[] = []): SchemaFiles {
    return {
      read: (path) => {
        if (existsSync(path)) return readFileSync(path, 'utf8');
        const file = relative(this.path, path);
        const text = rebuildModule(this.expectedOutput(name) ?? [], file);
        if (text === undefined) throw new Error('no such file');
        rebuilt.push(file);
        return text;
      },
    };
  }
}

/** Schema source of a module that holds nothing but enums, made from an expected output. */
function rebuildModule(output: readonly string[], file: string): string | undefined {
  const start = output.indexOf(`module ${file}`);
  if (start < 0) return undefined;
  const enums = new Map<string, string[]>();
  for (const line of output.slice(start + 1)) {
    const [, keyword, name] = /^ *(\S+) (\S+)/.exec(line) ?? [];
    if (keyword === 'module' || name === undefined) break;
    // Arrays are made by whoever uses them.
    if (keyword === 'array') continue;
    if (keyword === 'enum') enums.set(name, []);
    else if (keyword === 'member' && enums.size > 0) [...enums.values()].at(-1)?.push(name);
    else return undefined;
  }
  return [...enums]
    .map(([name, values]) => `{ 'enum': '${name}', 'data': [ ${values.map((value) => `'${value}'`).join(', ')} ] }\n`)
    .join('');
}
