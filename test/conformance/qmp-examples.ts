import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One request of an example in a schema's documentation. */
export interface ExampleRequest {
  /** `file.json:line` of the example. */
  readonly place: string;
  readonly text: string;
}

export interface Examples {
  /** `.. qmp-example::` blocks. */
  readonly blocks: number;
  readonly requests: readonly ExampleRequest[];
}

/** The examples of all schema files in a directory: what follows `->`, up to the next arrow, blank line or end of the block. */
export function examplesOf(directory: string): Examples {
  let blocks = 0;
  const requests: ExampleRequest[] = [];
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.json'))) {
    const lines = readFileSync(join(directory, file), 'utf8').split('\n');
    for (const [at, line] of lines.entries()) {
      const directive = /^#(\s*)\.\. qmp-example::/.exec(line);
      if (directive === null) continue;
      blocks++;
      requests.push(...requestsOf(lines, at + 1, directive[1]?.length ?? 0, file));
    }
  }
  return { blocks, requests };
}

function requestsOf(lines: readonly string[], from: number, indent: number, file: string): ExampleRequest[] {
  const requests: ExampleRequest[] = [];
  let current: string[] | undefined;
  let startedAt = 0;
  const finish = () => {
    if (current !== undefined) requests.push({ place: `${file}:${startedAt}`, text: current.join('\n') });
    current = undefined;
  };
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const content = /^#(\s*)(.*)$/.exec(line);
    if (content === null || line.startsWith('##')) break;
    const text = content[2] ?? '';
    if (text !== '' && (content[1]?.length ?? 0) <= indent) break;
    if (text === '' || text.startsWith('<-')) finish();
    else if (text.startsWith('->')) {
      finish();
      current = [text.slice(2).trim()];
      startedAt = at + 1;
    } else current?.push(text);
  }
  finish();
  return requests;
}
