/**
 * Recipes: a section of a page that says how a client is made and used, as a reader would follow it.
 *
 * The blocks for the shell stand in their order: what fetches the tool and makes the client of `gateway.json`, then what runs
 * the program. The block in between is the program; its first line is a comment with the name of its file.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Recipe {
  readonly title: string;
  /** Commands that have to be there. */
  readonly needs: readonly string[];
  readonly make: string;
  readonly program: { readonly file: string; readonly text: string };
  readonly run: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The recipe below a heading of a page. @throws Error when the section is not one */
export function recipeOf(page: string, title: string, needs: readonly string[]): Recipe {
  const sections = readFileSync(path.join(root, page), 'utf8').split(/^## /m);
  const section = sections.find((each) => each.startsWith(`${title}\n`));
  const blocks = [...(section ?? '').matchAll(/^```(\w+).*\n([^]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    isShell: language === 'sh',
    text,
  }));
  const [make, run] = blocks.filter(({ isShell }) => isShell);
  const program = blocks.find(({ isShell }) => !isShell);
  const file = /^\S+ (\S+)\n/.exec(program?.text ?? '')?.[1];
  if (make === undefined || run === undefined || program === undefined || file === undefined)
    throw new Error(`${page}: '${title}' is no recipe`);
  return { title, needs, make: make.text, program: { file, text: program.text }, run: run.text };
}
