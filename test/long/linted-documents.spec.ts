/**
 * Public linters find no error in any document: those of all catalogs in both flavours, those of every QEMU tree in
 * QAPI_TREES_DIR (directories `qemu-MAJOR.MINOR.MICRO`), where that is set, and all in QMPGW_DOCUMENTS_DIR, such as those
 * of VMs at hand.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describeCommand, serverKinds, type ServerKind } from '@qmp-gateway/catalog';
import { compileSchema } from '@qmp-gateway/qapi';
import { catalogDocument, generatorDocument, type OpenApiDocument, type ProblemRow } from '@qmp-gateway/qapi-openapi';
import { Scene } from '@qmp-gateway/test-kit';
import spectralCore from '@stoplight/spectral-core';
import { Json } from '@stoplight/spectral-parsers';
import { oas } from '@stoplight/spectral-rulesets';
import { afterAll, describe, expect, it } from 'vitest';
import { problemCatalogue } from '../../apps/gateway/src/problems/catalogue.js';

const scene = new Scene();
afterAll(() => scene.end());

/** What linters take for an error and is none. */
const exceptions: readonly { readonly rule: string; readonly place: RegExp; readonly why: string }[] = [
  {
    rule: 'operation-2xx-response',
    place: /\/(?:~1v1~1ws|~1v1~1vms~1\{vm\}~1(?:monitor|displays~1\{display\}~1rfb|serials~1\{serial\}~1stream))\/get/,
    why: 'a WebSocket handshake ends with 101',
  },
  {
    rule: 'operation-2xx-response',
    place: /#\/paths\/~1\/get\/responses$/,
    why: 'the root only leads to the console, with 303',
  },
  {
    rule: 'no-illogical-composition-keywords',
    place: /~1qom~1\{path\}\/get\/responses\/200/,
    why: 'the value of a property is any, and a tree is one of those; readers want to know of the tree',
  },
  {
    rule: 'oas3-server-variables',
    place: /^servers\.0\.variables$/,
    why: 'it takes the address for absolute; OpenAPI allows relative ones',
  },
];

function isException({ rule, place }: Finding): boolean {
  return exceptions.some((each) => each.rule === rule && each.place.test(place));
}

interface Finding {
  readonly rule: string;
  readonly place: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const published = ['openapi', 'openapi/generators'].flatMap((directory) =>
  readdirSync(path.join(root, directory))
    .filter((name) => name.endsWith('.json') && name !== 'asyncapi.json')
    .map((name) => path.join(root, directory, name)),
);

const servers: readonly (readonly [ServerKind, string])[] = [
  ['qemu', 'qapi/qapi-schema.json'],
  ['storage-daemon', 'storage-daemon/qapi/qapi-schema.json'],
  ['guest-agent', 'qga/qapi-schema.json'],
];
const problems: readonly ProblemRow[] = Object.entries(problemCatalogue).map(([code, row]) => ({ code, ...row }));

/** Writes both flavours of the documents of every tree. @returns the files */
function ofTrees(trees: string): string[] {
  const directory = scene.directory();
  const releases = readdirSync(trees).filter((name) => /^qemu-\d+\.\d+\.\d+$/.test(name));
  return releases.flatMap((release) =>
    servers
      .filter(([, schema]) => existsSync(path.join(trees, release, schema)))
      .flatMap(([kind, schema]) => {
        const version = release.slice('qemu-'.length);
        const files = { read: (file: string) => readFileSync(file, 'utf8') };
        const document = catalogDocument(compileSchema(path.join(trees, release, schema), files).model, {
          describe: (command) => describeCommand(kind, version, command),
          problems,
          below: serverKinds[kind].path,
          version,
        });
        const name = `${kind}-${version}`;
        return Object.entries({ full: document, generators: generatorDocument(document) } as Record<
          string,
          OpenApiDocument
        >).map(([flavour, made]) => {
          const file = path.join(directory, `${name}.${flavour}.json`);
          writeFileSync(file, JSON.stringify(made));
          return file;
        });
      }),
  );
}

const trees = process.env['QAPI_TREES_DIR'];
if (trees === undefined)
  process.stderr.write('QAPI_TREES_DIR is not set: the documents of the bundled catalogs alone are linted\n');
const given = process.env['QMPGW_DOCUMENTS_DIR'];
const documents = [
  ...published,
  ...(trees === undefined ? [] : ofTrees(trees)),
  ...(given === undefined ? [] : readdirSync(given).map((name) => path.join(given, name))),
];

const named = documents.map((file) => ({ file, name: path.relative(root, file) }));

async function redocly(file: string): Promise<Finding[]> {
  const program = path.join(
    path.dirname(createRequire(import.meta.url).resolve('@redocly/cli/package.json')),
    'bin/cli.js',
  );
  const options = ['lint', '--format', 'json', '--extends', 'recommended-strict', '--max-problems', '1000', file];
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...options], {
    cwd: scene.directory(),
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    maxBuffer: 2 ** 28,
  }).catch((error: unknown) => error as { stdout: string });
  const found = JSON.parse(stdout) as {
    problems: { severity: string; ruleId: string; location: { pointer?: string }[] }[];
  };
  return found.problems
    .filter(({ severity }) => severity === 'error')
    .map(({ ruleId, location }) => ({ rule: ruleId, place: location[0]?.pointer ?? '' }));
}

async function spectral(file: string): Promise<Finding[]> {
  const linter = new spectralCore.Spectral();
  linter.setRuleset({ extends: [[oas as never, 'recommended']] });
  const findings = await linter.run(new spectralCore.Document(readFileSync(file, 'utf8'), Json, file));
  const error = 0;
  return findings
    .filter(({ severity }) => (severity as number) === error)
    .map(({ code, path: place }) => ({ rule: String(code), place: place.join('.') }));
}

describe.each([
  ['Redocly (recommended-strict)', redocly],
  ['Spectral (oas)', spectral],
] as const)('%s finds no error', (_, lint) => {
  it.each(named)('in $name', async ({ file }) => {
    expect((await lint(file)).filter((finding) => !isException(finding))).toEqual([]);
  });
});
