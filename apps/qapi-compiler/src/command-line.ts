import { readFileSync } from 'node:fs';
import { CatalogError, type ServerKind, decodeCatalog, serverKindNames, serverKinds } from '@qmp-gateway/catalog';
import { QapiSchemaError, compileSchema } from '@qmp-gateway/qapi';
import { Command, CommanderError, Option } from 'commander';
import { catalogOf } from './build-catalog.js';
import { openApiOf, readProblems, typesOf } from './documents.js';
import { writeIfChanged } from './write-if-changed.js';

/** Where the compiler speaks. */
export interface Console {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

interface BuildOptions {
  readonly schema: string;
  readonly out: string;
  readonly name?: string;
  readonly version?: string;
  readonly kind?: ServerKind;
  readonly withDocs?: true;
}

interface DocumentOptions {
  readonly catalog: string;
  readonly out: string;
  readonly problems?: string;
}

/**
 * Runs one command line.
 *
 * @param args - without program and script
 * @returns the exit code: 0 done, 1 the input is wrong or a file can't be read or written, 2 wrong usage
 */
export function runCompiler(args: readonly string[], console: Console): 0 | 1 | 2 {
  try {
    commandLine(console).parse(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has said already what is wrong with the command line, or printed the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    console.err(`${problemText(error)}\n`);
    return 1;
  }
}

function problemText(error: unknown): string {
  if (error instanceof QapiSchemaError || error instanceof CatalogError) return error.message;
  return `qapi-compiler: ${error instanceof Error ? error.message : String(error)}`;
}

function commandLine({ out, err }: Console): Command {
  const program = new Command('qapi-compiler')
    .description('Compiles QAPI schemas into catalogs, and catalogs into specifications and types')
    .configureOutput({ writeOut: out, writeErr: err })
    .exitOverride();

  program
    .command('build')
    .description('compile the schema of a QEMU source tree into a catalog')
    .requiredOption('--schema <file>', 'the schema to begin with, e.g. qapi/qapi-schema.json')
    .requiredOption('--out <file>', 'the catalog to write')
    .option('--name <name>', 'what the server is called')
    .option('--version <release>', 'its release, e.g. 10.2.2; else the newest its documentation names')
    .addOption(
      new Option('--kind <kind>', 'what it serves; else told by its commands').choices(
        serverKindNames.filter((kind) => serverKinds[kind].catalogs === 'compiled'),
      ),
    )
    .option('--with-docs', "keep the schema's own documentation; for use on your own machine")
    .action(({ schema, out: file, ...options }: BuildOptions) => {
      const compiled = compileSchema(schema, { read: (path) => readFileSync(path, 'utf8') });
      writeIfChanged(file, catalogOf(compiled, options));
    });

  const document = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .requiredOption('--catalog <file>', 'the catalog to read')
      .requiredOption('--out <file>', 'the file to write');
  document('openapi', 'describe the commands of a catalog as OpenAPI 3.1')
    .option('--problems <file>', 'the errors to describe: a JSON array of {code, status, title}')
    .action(({ catalog, out: file, problems }: DocumentOptions) => {
      const rows = problems === undefined ? [] : readProblems(readFileSync(problems, 'utf8'), problems);
      writeIfChanged(file, openApiOf(readCatalog(catalog), rows));
    });
  document('types', 'write TypeScript types of the commands and events of a catalog').action(
    ({ catalog, out: file }: DocumentOptions) => writeIfChanged(file, typesOf(readCatalog(catalog))),
  );
  return program;
}

function readCatalog(file: string): ReturnType<typeof decodeCatalog> {
  return decodeCatalog(readFileSync(file, 'utf8'), file);
}
