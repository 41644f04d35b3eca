/**
 * The documents of QEMU 10.2.2 pass public linters, are made in time, and others' generators take them. Needs
 * QAPI_TREES_DIR, a directory that holds `qemu-10.2.2/qapi/qapi-schema.json`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { resourceBook } from '../../apps/gateway/dist/app.module.js';
import { Parser } from '@asyncapi/parser';
import { compileSchema, type QapiModel } from '@qmp-gateway/qapi';
import {
  asyncApiDocument,
  catalogDocument,
  gatewayDocument,
  vmDocument,
  type CommandDescription,
  type ProblemRow,
} from '@qmp-gateway/qapi-openapi';
import openapiTS, { astToString } from 'openapi-typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemCatalogue } from '../../apps/gateway/src/problems/catalogue.js';

const trees = process.env['QAPI_TREES_DIR'];
if (trees === undefined)
  process.stderr.write('QAPI_TREES_DIR is not set: the documents of QEMU 10.2.2 are not tried\n');

/** Severities are 0 error, 1 warning, 2 information, 3 hint. */
const information = 2;

const problems: ProblemRow[] = Object.entries(problemCatalogue).map(([code, row]) => ({ code, ...row }));

function described(command: { readonly name: string; readonly gen?: boolean }): CommandDescription {
  return {
    class: command.name.startsWith('query-') ? 'read' : 'host',
    offered: true,
    openArguments: command.gen === false,
  };
}

describe.runIf(trees !== undefined)('documents of QEMU 10.2.2', () => {
  const book = resourceBook();
  const options = { describe: described, problems, resources: book.documents };
  let model: QapiModel;
  let directory: string;

  beforeAll(() => {
    const schema = join(trees!, 'qemu-10.2.2/qapi/qapi-schema.json');
    model = compileSchema(schema, { read: (path) => readFileSync(path, 'utf8') }).model;
    directory = mkdtempSync(join(tmpdir(), 'qapi-documents-'));
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('hold every command', () => {
    const text = JSON.stringify(vmDocument(model, options));
    expect(Object.keys((JSON.parse(text) as { paths: object }).paths)).toHaveLength(model.commands.size);
  });

  it.each([
    ['catalog', () => catalogDocument(model, options)],
    ['gateway', () => gatewayDocument(model, options)],
  ])('%s: Redocly finds no error', (name, make) => {
    const file = join(directory, `${name}.json`);
    writeFileSync(file, JSON.stringify(make()));
    const redocly = dirname(createRequire(import.meta.url).resolve('@redocly/cli/package.json'));
    const output = execFileSync(process.execPath, [join(redocly, 'bin/cli.js'), 'lint', '--format=json', file], {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    });
    expect(output).toContain('"errors": 0');
  });

  it('events: the parser of AsyncAPI finds no error', async () => {
    const { diagnostics, document } = await new Parser().parse(
      JSON.stringify(asyncApiDocument(model, { gateway: book.channels })),
    );
    expect(diagnostics.filter((each) => (each.severity as number) < information)).toEqual([]);
    expect(document).toBeDefined();
  });

  it('gateway: openapi-typescript makes types of it', async () => {
    const nodes = await openapiTS(JSON.stringify(gatewayDocument(model, options)));
    expect(astToString(nodes)).toContain('"/v1/vms/{vm}/qmp/query-status"');
  });
});
