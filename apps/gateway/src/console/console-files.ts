import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KeptDocument, type TaggedDocument } from '../http/tagged-document.js';
import { linkTo } from '../settings/links.js';

const folder = fileURLToPath(new URL('../../assets/console', import.meta.url));

const contentTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/**
 * The console as it was built: one page, and files whose names have the hash of what is in them. A file is read when it is
 * first asked for.
 */
export class ConsoleFiles {
  /** Undefined in a tree where the console was not built. */
  readonly page: TaggedDocument | undefined;
  readonly #names: ReadonlySet<string>;
  readonly #files = new Map<string, TaggedDocument>();

  /** @param built where the files are */
  constructor(private readonly built: string = folder) {
    const index = join(built, 'index.html');
    const isBuilt = existsSync(index);
    this.#names = new Set(isBuilt ? readdirSync(join(built, 'files')) : []);
    this.page = isBuilt
      ? new KeptDocument(pageWithLinks(readFileSync(index, 'utf8')), 'text/html; charset=utf-8')
      : undefined;
  }

  /** @returns undefined where there is none, also for a name that was right before the gateway was upgraded */
  file(name: string): TaggedDocument | undefined {
    const contentType = contentTypes[extname(name)];
    if (contentType === undefined || !this.#names.has(name)) return undefined;
    let file = this.#files.get(name);
    if (file === undefined) {
      const path = join(this.built, 'files', name);
      const compressed = this.#names.has(`${name}.gz`) ? readFileSync(`${path}.gz`) : undefined;
      file = new KeptDocument(readFileSync(path), contentType, compressed);
      this.#files.set(name, file);
    }
    return file;
  }
}

/** The page is at many addresses, so its links begin with the gateway's own prefix; its scripts learn that prefix too. */
function pageWithLinks(page: string): string {
  return page
    .replaceAll('"./files/', `"${linkTo('/console/files/')}`)
    .replace('name="qmp-gateway-base" content=""', `name="qmp-gateway-base" content="${linkTo('')}"`);
}
