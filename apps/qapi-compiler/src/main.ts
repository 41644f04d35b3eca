/**
 * qapi-compiler: QAPI schema source to catalogs, OpenAPI and TypeScript types, on the command line.
 *
 * The only part that touches the disk; what it writes is made by libs/qapi, libs/catalog and libs/qapi-openapi.
 */
import { runCompiler } from './command-line.js';

process.exitCode = runCompiler(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
