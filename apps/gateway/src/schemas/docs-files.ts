import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KeptDocument, type TaggedDocument } from '../http/tagged-document.js';

const require = createRequire(import.meta.url);
const own = (name: string) => fileURLToPath(new URL(`../../assets/docs/${name}`, import.meta.url));

const ownFiles = [
  ...['docs.js', 'address.js', 'commands-list.js', 'element.js', 'gateway.js', 'operation-row.js'],
  ...['shown-document.js', 'swagger-operation.js', 'docs.css'],
];

/** The files of the page by name, and where they are. Of Swagger UI it needs these. */
const places: readonly (readonly [name: string, path: () => string])[] = [
  ...ownFiles.map((name) => [name, () => own(name)] as const),
  ['swagger-ui.css', () => require.resolve('swagger-ui-dist/swagger-ui.css')],
  ['swagger-ui-bundle.js', () => require.resolve('swagger-ui-dist/swagger-ui-bundle.js')],
  ['favicon-32x32.png', () => require.resolve('swagger-ui-dist/favicon-32x32.png')],
];

const contentTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.png': 'image/png',
};

/**
 * The page `/docs` and its files. They are at a path with the hash of all of them, so that a browser keeps them as long as
 * it likes; the page itself is small and asked for each time.
 */
export class DocsFiles {
  readonly page: TaggedDocument;
  /** Of all files. */
  readonly hash: string;
  readonly #files: ReadonlyMap<string, TaggedDocument>;

  constructor() {
    this.#files = new Map(places.map(([name, path]) => [name, fileAt(path())]));
    const tags = [...this.#files].map(([name, { etag }]) => `${name} ${etag}`).join('\n');
    this.hash = hash('sha256', tags, 'hex').slice(0, 16);
    const page = readFileSync(own('docs.html'), 'utf8').replaceAll('{files}', `docs/files/${this.hash}`);
    this.page = new KeptDocument(page, 'text/html; charset=utf-8');
  }

  /** @returns undefined where there is none, also for a hash that was right before the gateway was upgraded */
  file(hash: string, name: string): TaggedDocument | undefined {
    return hash === this.hash ? this.#files.get(name) : undefined;
  }
}

/** Packages have the files compressed as well; where the gateway runs from its sources, that is done on first demand. */
function fileAt(path: string): TaggedDocument {
  const compressed = existsSync(`${path}.gz`) ? readFileSync(`${path}.gz`) : undefined;
  return new KeptDocument(readFileSync(path), contentTypes[extname(path)] ?? 'application/octet-stream', compressed);
}
